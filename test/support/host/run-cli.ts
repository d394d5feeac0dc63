// SPDX-License-Identifier: Apache-2.0
import { runProcess } from '../../../src/sys/process.ts';
import { SYSCT, type SysctResult } from './shipped-sysct.ts';

/** Runs sysct here, as it is shipped; any exit status is a result. */
export async function runCli(...args: readonly string[]): Promise<SysctResult> {
  const { exitCode, stdout, stderr } = await runProcess(SYSCT, args);
  return { exitCode, stdout: stdout.toString('utf8'), stderr };
}

/** As {@link runCli}; a status other than 0 is an error that holds all it printed. */
export async function runCliChecked(...args: readonly string[]): Promise<SysctResult> {
  const result = await runCli(...args);
  if (result.exitCode === 0) return result;
  const said = `${result.stdout}\n${result.stderr}`;
  throw new Error(`sysct ${args.join(' ')} exited with ${result.exitCode}:\n${said}`);
}
