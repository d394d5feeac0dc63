// SPDX-License-Identifier: Apache-2.0
import type { Log } from '../../base/log.ts';
import type { Progress } from '../../base/progress.ts';
import { isErrno, SysctError, UsageError } from '../../base/sysct-error.ts';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { printableJson, printableLines, quote } from '../../base/printable.ts';
import { HostRoot } from '../../sys/host-root.ts';
import type { OptionValues } from '../options/option-values.ts';
import { ProgressBars } from '../output/progress-bars.ts';
import { progressTo } from '../output/progress-fd.ts';
import type { Settings } from './settings.ts';
import { loadSettings } from './settings-file.ts';
import { StderrLog } from '../output/stderr-log.ts';
import type { OptionSpec } from '../options/option-spec.ts';
import { writeStdout } from '../output/write-stdout.ts';

/** Options that every verb takes. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--root DIR',
    description: 'work on the offline root in DIR instead of the running host',
  },
  { flags: '--debug', description: 'print what is done, and the stack of errors' },
];

/** What every verb works with, built once from the command line and passed down. */
export class Context {
  readonly host: HostRoot;
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;

  private constructor(host: HostRoot, settings: Settings, signal: AbortSignal, log: Log) {
    this.host = host;
    this.settings = settings;
    this.signal = signal;
    this.log = log;
    this.env = process.env;
  }

  static async create(options: OptionValues, signal: AbortSignal): Promise<Context> {
    const host = new HostRoot(rootDirectory(options.text('root')));
    const log = new StderrLog(options.flag('debug'));
    return new Context(host, await loadSettings(host), signal, log);
  }

  now(): Date {
    return new Date();
  }

  /** The real path of the store. */
  get storeDirectory(): string {
    return this.host.resolveFollowing(this.settings.store);
  }

  /** The real path of the directory of all containers. */
  get containersDirectory(): string {
    return join(this.storeDirectory, 'containers');
  }

  /** Where the verb's long work reports to: `--progress-fd`, nothing with `--quiet`, else stderr. */
  progress(options: OptionValues): Progress {
    const fd = options.number('progress-fd', 1);
    if (fd !== undefined) return progressTo(fd);
    if (options.flag('quiet')) return () => {};
    const bars = new ProgressBars(process.stderr, () => performance.now());
    return (event) => bars.report(event);
  }

  /** Lines of text; what images say in them cannot move a terminal's cursor. */
  print(text: string): void {
    writeStdout(printableLines(text));
  }

  printJson(value: unknown): void {
    writeStdout(printableJson(`${JSON.stringify(value, undefined, 2)}\n`));
  }

  /** Changing the system needs root; an offline root belongs to whoever owns it. */
  requireRoot(doing: string): void {
    if (process.getuid?.() === 0) return;
    throw new SysctError('NOT_ROOT', `${doing}: only root can do that`, {
      hint: 'run it with sudo',
    });
  }
}

function rootDirectory(root: string | undefined): string {
  if (root === undefined) return '/';
  try {
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  throw new UsageError(`--root ${quote(root)} is not a directory`);
}
