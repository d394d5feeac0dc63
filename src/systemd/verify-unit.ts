// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printable } from '../base/printable.ts';
import { ProcessError, type ProcessResult, runProcess } from '../sys/process.ts';
import type { HostRoot } from '../sys/host-root.ts';
import { SystemdError } from './systemd-error.ts';

export interface UnitText {
  /** Full name: `etcd.service`. */
  readonly name: string;
  readonly text: string;
}

/**
 * Why systemd would not take units that are about to be written, in the words of `systemd-analyze
 * verify`, one line each; empty when it would, or when this machine has no systemd-analyze. Only these
 * units are judged, not the ones they name.
 *
 * What systemd only warns of (keys it does not know and ignores, programs that are missing now) goes
 * to `warn`: units of the field have such lines, and they start.
 *
 * @param _host the units of an offline root are judged by this machine's tool as well.
 * @throws SystemdError VERIFY_FAILED when the tool itself cannot run.
 */
export async function verifyUnits(
  _host: HostRoot,
  units: readonly UnitText[],
  signal: AbortSignal,
  warn: (line: string) => void = () => {},
): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'sysct-verify-'));
  try {
    const paths = units.map(({ name, text }) => {
      const path = join(directory, name);
      writeFileSync(path, text);
      return path;
    });
    const result = await analyze(paths, signal);
    if (result === undefined) return [];
    const complaints = complaintsAbout(units, directory, result.stderr);
    if (result.exitCode !== 0 && result.stderr.trim() === '') throw failed(result);
    complaints.filter(isWarning).forEach(warn);
    return complaints.filter((line) => !isWarning(line));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

// `--recursive-errors` came with systemd 250; before, problems of other units count for the exit
// status as well, but not here, where only lines about ours count.
async function analyze(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ProcessResult | undefined> {
  const run = (flags: readonly string[]): Promise<ProcessResult> =>
    runProcess('systemd-analyze', ['verify', '--man=no', ...flags, '--', ...paths], {
      signal,
      env: { ...process.env, LC_ALL: 'C.UTF-8', SYSTEMD_LOG_LEVEL: 'notice', SYSTEMD_COLORS: '0' },
    });
  try {
    const result = await run(['--recursive-errors=no']);
    return /unrecognized option/.test(result.stderr) ? await run([]) : result;
  } catch (error) {
    if (error instanceof ProcessError && error.code === 'PROCESS_MISSING') return undefined;
    throw error;
  }
}

function complaintsAbout(
  units: readonly UnitText[],
  directory: string,
  stderr: string,
): readonly string[] {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim().replaceAll(`${directory}/`, ''))
    .filter((line) =>
      units.some(
        ({ name }) =>
          line.startsWith(`${name}:`) ||
          line.startsWith(`Unit ${name} `) ||
          line.includes(`${name}/start`),
      ),
    )
    .map(printable);
  return [...new Set(lines)];
}

function isWarning(line: string): boolean {
  return /\bignoring\b/i.test(line) || /^\S+: Command .* is not executable: /.test(line);
}

function failed({ exitCode }: ProcessResult): SystemdError {
  return new SystemdError(
    'VERIFY_FAILED',
    `verifying units: systemd-analyze exited with ${exitCode} and said nothing`,
    { hint: 'run "systemd-analyze verify" by hand on one of the units of this host' },
  );
}
