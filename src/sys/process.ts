// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { messageOf, SysctError } from '../base/sysct-error.ts';
import { printable, quote } from '../base/printable.ts';

export class ProcessError extends SysctError<'PROCESS_MISSING' | 'PROCESS_FAILED'> {}

export interface ProcessResult {
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly input?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Descriptors of ours that the child inherits as 3, 4, … */
  readonly inherit?: readonly number[];
  readonly timeoutMs?: number;
}

/**
 * Runs a command without a shell and collects what it prints; any exit status is a result. What the
 * terminal sends (Ctrl-C) reaches us alone: whether a step ends half way, or what takes it back, is
 * ours to say, by `signal`.
 * @throws ProcessError PROCESS_MISSING when there is no such program, or the signal's reason on abort.
 */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  options.signal?.throwIfAborted();
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe', ...(options.inherit ?? [])],
    // A session of its own; else a child may die of Ctrl-C before we know of it, and look like a failure.
    detached: true,
    env: options.env,
    cwd: options.cwd,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined
      ? {}
      : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A child that exits without reading its input makes the pipe fail; its exit status tells the story.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  const { promise, resolve, reject } = Promise.withResolvers<ProcessResult>();
  child.on('error', (cause: NodeJS.ErrnoException) => {
    if (options.signal?.aborted === true) reject(options.signal.reason as Error);
    else if (cause.code === 'ENOENT') reject(missing(command, cause));
    else
      reject(
        new ProcessError('PROCESS_FAILED', `running ${quote(command)}: ${messageOf(cause)}`, {
          cause,
        }),
      );
  });
  child.on('close', (exitCode, signal) => {
    resolve({
      exitCode: exitCode ?? 128,
      signal: signal ?? undefined,
      stdout: Buffer.concat(stdout),
      stderr: Buffer.concat(stderr).toString('utf8'),
    });
  });
  return await promise;
}

/** As {@link runProcess}, but a status other than 0 is an error that quotes the command's own last line. */
export async function runChecked(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const result = await runProcess(command, args, options);
  if (result.exitCode === 0) return result;
  const said =
    lastLine(result.stderr) ?? lastLine(result.stdout.toString('utf8')) ?? 'it printed nothing';
  throw new ProcessError(
    'PROCESS_FAILED',
    `${command} ${args.map(printable).join(' ')} ${howItEnded(result)}: ${printable(said)}`,
  );
}

/** `exited with 3`, `was killed by SIGTERM`: behind the command's name. */
export function howItEnded({ exitCode, signal }: ProcessResult): string {
  return signal === undefined ? `exited with ${exitCode}` : `was killed by ${signal}`;
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1)?.trim() || undefined;
}

function missing(command: string, cause: Error): ProcessError {
  return new ProcessError(
    'PROCESS_MISSING',
    `running ${quote(command)}: there is no such program`,
    {
      cause,
      hint: `install the package that provides ${command}`,
    },
  );
}
