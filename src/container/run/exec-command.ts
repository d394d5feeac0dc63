// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { quote } from '../../base/printable.ts';
import { connectManager } from '../../systemd/connect-manager.ts';
import type { HostRoot } from '../../sys/host-root.ts';
import { ContainerError } from '../record/container-error.ts';
import { enterChroot } from './enter-chroot.ts';
import type { Generation } from '../record/generation.ts';
import { requireInstalled } from '../record/installed-container.ts';
import type { ExecRequest } from './exec-request.ts';
import type { Invocation } from './invocation.ts';

/**
 * What to execute so that a command runs inside a running container: the runtime's own `exec`, or
 * for a chroot nsenter(1) into the service's main process.
 *
 * @throws ContainerError CONTAINER_NOT_FOUND, CONTAINER_NOT_RUNNING, UNSUPPORTED
 */
export async function execCommand(
  request: ExecRequest,
  parts: { readonly host: HostRoot; readonly containersPath: string; readonly signal: AbortSignal },
): Promise<Invocation> {
  const { current } = requireInstalled(parts.containersPath, request.name);
  const [unit] = current.units;
  const notRunning = new ContainerError(
    'CONTAINER_NOT_RUNNING',
    `container ${quote(request.name)} is not running`,
    {
      hint: `start it with: sysct start ${request.name}`,
    },
  );
  if (unit === undefined || !parts.host.isRunningHost) throw notRunning;
  await using manager = await connectManager(parts.signal);
  const { service } = await manager.unitState(unit, parts.signal);
  if (service?.mainPid === undefined) throw notRunning;
  return current.launcher === 'chroot'
    ? chrootExec(request, service.mainPid)
    : runtimeExec(request, current);
}

function runtimeExec(request: ExecRequest, current: Generation): Invocation {
  const log = `/run/sysct/exec-${randomBytes(6).toString('hex')}.log`;
  const args = [
    ...logTo(log),
    'exec',
    ...(request.terminal ? ['--tty'] : []),
    ...(request.user === undefined ? [] : ['--user', request.user]),
    ...(request.workingDirectory === undefined ? [] : ['--cwd', request.workingDirectory]),
    ...request.env.flatMap((setting) => ['--env', setting]),
    current.name,
    ...request.command,
  ];
  return { command: current.runtime ?? 'runc', args, env: undefined, runtimeLog: log };
}

/** Has an OCI runtime write to a file why it failed; its status alone does not say that it did. */
export function logTo(file: string): readonly string[] {
  return ['--log', file, '--log-format', 'json'];
}

function chrootExec(request: ExecRequest, mainPid: number): Invocation {
  const credentials = userOf(request.user) ?? credentialsOf(mainPid);
  const environment = readFileSync(`/proc/${mainPid}/environ`, 'utf8').split('\0');
  return enterChroot(request, { mainPid, ...credentials, environment });
}

function userOf(text: string | undefined): { uid: number; gid: number } | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)(?::(\d+))?$/.exec(text);
  if (match === null) {
    throw new ContainerError('UNSUPPORTED', `user ${quote(text)} is not a number`, {
      hint: 'write UID or UID:GID',
    });
  }
  const uid = Number(match[1]);
  return { uid, gid: match[2] === undefined ? uid : Number(match[2]) };
}

// proc(5): /proc/PID/status has "Uid:  real effective saved fs".
function credentialsOf(pid: number): { uid: number; gid: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+\\d+\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { uid: field('Uid'), gid: field('Gid') };
}
