// SPDX-License-Identifier: Apache-2.0
import { constants, statSync } from 'node:fs';
import { basename } from 'node:path';
import { printable, quote } from '../base/printable.ts';
import { ProcessError, runProcess } from '../sys/process.ts';
import type { HostRoot } from '../sys/host-root.ts';
import { LaunchError } from './launch-error.ts';

/** An OCI runtime program of the host. */
export interface OciRuntime {
  /** Host path, as it goes into the unit: `/usr/bin/runc`. */
  readonly path: string;
  /** Who it says it is; `other` is driven like runc. */
  readonly kind: 'runc' | 'crun' | 'other';
  /** First line of `--version`; empty where it cannot be run (an offline root of another machine). */
  readonly version: string;
}

const NAMES = ['runc', 'crun'] as const;
const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * Finds the runtime and asks for its version.
 * @param path host path given by the user; undefined: the first of runc, crun in the directories
 *   that systemd looks for programs in.
 * @throws LaunchError RUNTIME_MISSING
 */
export async function findRuntime(
  host: HostRoot,
  path: string | undefined,
  signal: AbortSignal,
): Promise<OciRuntime> {
  const candidates =
    path === undefined
      ? NAMES.flatMap((name) => DIRECTORIES.map((directory) => `${directory}/${name}`))
      : [path];
  const found = candidates.find((candidate) => isExecutable(host, candidate));
  if (found === undefined) throw missing(host, path);
  const version = await versionOf(host, found, signal);
  return { path: found, kind: kindOf(found, version), version };
}

function isExecutable(host: HostRoot, path: string): boolean {
  if (!path.startsWith('/')) return false;
  const stat = statSync(host.resolveFollowing(path), { throwIfNoEntry: false });
  return stat?.isFile() === true && (stat.mode & (constants.S_IXUSR | 0o011)) !== 0;
}

async function versionOf(host: HostRoot, path: string, signal: AbortSignal): Promise<string> {
  const [command, args] = host.isRunningHost
    ? [path, ['--version']]
    : ['chroot', [host.directory, path, '--version']];
  try {
    const { exitCode, stdout } = await runProcess(command, args, { signal, timeoutMs: 10_000 });
    if (exitCode === 0) return printable(stdout.toString('utf8').split('\n', 1)[0] ?? '');
    if (!host.isRunningHost) return '';
    throw unusable(path, `"${path} --version" exited with ${exitCode}`);
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    if (!host.isRunningHost) return '';
    throw unusable(path, error.message, error);
  }
}

function kindOf(path: string, version: string): OciRuntime['kind'] {
  const name = version === '' ? basename(path) : version.split(' ', 1)[0];
  return name === 'runc' || name === 'crun' ? name : 'other';
}

function missing(host: HostRoot, path: string | undefined): LaunchError {
  const where = host.isRunningHost ? '' : ` in ${quote(host.directory)}`;
  return path === undefined
    ? new LaunchError(
        'RUNTIME_MISSING',
        `looking for an OCI runtime: neither runc nor crun is installed${where}`,
        {
          hint: 'install runc',
        },
      )
    : new LaunchError('RUNTIME_MISSING', `the runtime ${quote(path)} is not installed${where}`, {
        hint: 'give --runtime the absolute path of a program of the host',
      });
}

function unusable(path: string, reason: string, cause?: unknown): LaunchError {
  return new LaunchError('RUNTIME_MISSING', `the runtime ${quote(path)} does not run: ${reason}`, {
    cause,
    hint: 'install runc, or choose another with --runtime PATH',
  });
}
