// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../base/printable.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import { execLine, quoteExecArgument, quoteUnitWord } from '../systemd/unit-quote.ts';
import { LaunchError } from './launch-error.ts';
import type { OciRuntime } from './oci-runtime.ts';

/**
 * The values of $EXEC_START, $EXEC_STOP, $EXEC_STARTPRE and $EXEC_STOPPOST. They are unit file syntax
 * already: the template engine must put them in as they are.
 */
export interface ExecValues {
  readonly EXEC_START: string;
  readonly EXEC_STOP: string;
  readonly EXEC_STARTPRE: string;
  readonly EXEC_STOPPOST: string;
}

export type LaunchWith =
  { readonly launcher: 'runc'; readonly runtime: OciRuntime } | { readonly launcher: 'chroot' };

/**
 * What a unit has to execute to run the container `name` whose config is `config`. Only EXEC_START says
 * something: systemd stops what it started by signals, which runc hands on, and the clean-up before
 * and after is in every unit that sysct finishes (`service-unit.ts`), so that a template cannot forget it.
 *
 * @throws LaunchError NAME_UNUSABLE, NO_COMMAND, UNSUPPORTED_BY_LAUNCHER
 */
export function execValues(name: string, config: RuntimeConfig, how: LaunchWith): ExecValues {
  const start =
    how.launcher === 'runc' ? runtimeLine(how.runtime, ['run'], name) : commandLine(config);
  return { EXEC_START: start, EXEC_STOP: '', EXEC_STARTPRE: '', EXEC_STOPPOST: '' };
}

/** `RUNTIME ARGS… NAME`: the container has its own name as id. @throws LaunchError NAME_UNUSABLE */
export function runtimeLine(runtime: OciRuntime, args: readonly string[], name: string): string {
  // runc's own rule for ids.
  if (!/^[\w+\-.]+$/.test(name)) {
    throw new LaunchError(
      'NAME_UNUSABLE',
      `${quote(name)} cannot be the id of a container of ${runtime.path}`,
      { hint: 'choose a name of letters, digits, "_", "-", "." and "+" with --name' },
    );
  }
  return execLine(runtime.path, [...args, name]);
}

// systemd looks for a program without a slash in the root's own PATH (see chroot-service.ts).
function commandLine(config: RuntimeConfig): string {
  const [program = '', ...args] = config.process?.args ?? [];
  if (program === '') {
    throw new LaunchError('NO_COMMAND', 'the config has nothing in process.args', {
      hint: 'the image needs a command in its config.json',
    });
  }
  if (/^[\w.][\w.+-]*$/.test(program)) {
    return [quoteUnitWord(program), ...args.map(quoteExecArgument)].join(' ');
  }
  if (!program.includes('/')) {
    throw new LaunchError(
      'UNSUPPORTED_BY_LAUNCHER',
      `systemd cannot run a program called ${quote(program)}`,
      { hint: 'give its absolute path in process.args' },
    );
  }
  return execLine(posix.resolve('/', config.process?.cwd ?? '/', program), args);
}
