// SPDX-License-Identifier: Apache-2.0
// The outer end of the commands to a virtual machine; the inner one is in test/support/host/vm-root.ts.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { ProcessOptions, ProcessResult } from '../../../src/sys/process.ts';

export interface VmAddress {
  readonly host: string;
  readonly port: number;
}

/** Runs a command in the guest. Throws when the connection ends before the command has. */
export async function execOverTcp(
  address: VmAddress,
  line: readonly string[],
  { input = '', env = {}, signal, timeoutMs }: ProcessOptions,
): Promise<ProcessResult> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const command = Buffer.from(
    `exec ${['env', '--', ...variables, ...line].map(quoted).join(' ')}\n`,
  );
  const bytes = Buffer.from(input);
  const limits = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
  const abort = AbortSignal.any(limits.filter((limit) => limit !== undefined));
  const socket = connect(address);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const onAbort = (): void => {
    socket.destroy(abort.reason as Error);
  };
  abort.addEventListener('abort', onAbort);
  try {
    await once(socket, 'connect');
    socket.write(`${command.length} ${bytes.length}\n`);
    socket.write(command);
    socket.write(bytes);
    await once(socket, 'end');
  } finally {
    abort.removeEventListener('abort', onAbort);
    socket.destroy();
  }
  return parseReply(Buffer.concat(chunks), line);
}

function parseReply(reply: Buffer, line: readonly string[]): ProcessResult {
  const end = reply.indexOf('\n');
  const [status, out, error] = reply
    .subarray(0, Math.max(end, 0))
    .toString('latin1')
    .split(' ')
    .map(Number);
  if (status === undefined || out === undefined || error === undefined)
    throw new Error(`the machine did not answer: ${line.join(' ').slice(0, 200)}`);
  const body = reply.subarray(end + 1);
  if (body.length !== out + error) throw new Error('the answer of the machine was cut off');
  return {
    exitCode: status,
    signal: undefined,
    stdout: body.subarray(0, out),
    stderr: body.subarray(out).toString('utf8'),
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
