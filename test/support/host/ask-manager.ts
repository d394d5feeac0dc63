// SPDX-License-Identifier: Apache-2.0
// Runs inside a booted test host: carries out a list of calls on its systemd, and prints what came of
// each as one line of JSON. `node ask-manager.ts bus|peer CALLS`, CALLS a JSON list of [method, …arguments].
import { SYSTEMD_SOCKETS, connectManager } from '../../../src/systemd/connect-manager.ts';
import type { SystemdManager } from '../../../src/systemd/manager.ts';
import { SystemdError } from '../../../src/systemd/systemd-error.ts';

export type ManagerCall =
  | readonly ['reload']
  | readonly ['enable' | 'disable' | 'listStates', readonly string[]]
  | readonly ['unitState' | 'resetFailed', string]
  /** Last: how long to wait for the job, and after how long to abort. */
  | readonly ['start' | 'stop' | 'restart', string, timeoutMs?: number, abortMs?: number];

export interface ManagerAnswer {
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly tookMs: number;
}

async function carryOut(manager: SystemdManager, call: ManagerCall): Promise<unknown> {
  const never = new AbortController().signal;
  switch (call[0]) {
    case 'reload':
      return await manager.reload(never);
    case 'enable':
    case 'disable':
    case 'listStates':
      return await manager[call[0]](call[1], never);
    case 'unitState':
    case 'resetFailed':
      return await manager[call[0]](call[1], never);
    case 'start':
    case 'stop':
    case 'restart': {
      const [method, unit, timeoutMs = 300_000, abortMs] = call;
      const signal = abortMs === undefined ? never : AbortSignal.timeout(abortMs);
      return await manager[method](unit, { timeoutMs, signal });
    }
  }
}

if (import.meta.main) {
  const [, , kind, calls = '[]'] = process.argv;
  const sockets = SYSTEMD_SOCKETS.filter((socket) => socket.kind === kind);
  await using manager = await connectManager(new AbortController().signal, sockets);
  for (const call of JSON.parse(calls) as ManagerCall[]) {
    const begun = performance.now();
    const outcome = await carryOut(manager, call).then(
      (value) => ({ value }),
      (error: unknown) =>
        error instanceof SystemdError
          ? { code: error.code, message: error.message, hint: error.hint }
          : { code: (error as Error).name },
    );
    console.log(JSON.stringify({ ...outcome, tookMs: performance.now() - begun }));
  }
}
