// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Bus, BusReplyError } from '../../src/systemd/bus.ts';
import { connectManager } from '../../src/systemd/connect-manager.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const never = new AbortController().signal;
const LIST_NAMES = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'ListNames',
};

interface PrivateBus extends Disposable {
  readonly path: string;
  readonly daemon: ChildProcess;
}

async function startBus(): Promise<PrivateBus> {
  const tmp = temporaryDirectory('bus');
  const path = join(tmp.directory, 'socket');
  const daemon = spawn('dbus-daemon', ['--session', '--nofork', `--address=unix:path=${path}`], {
    stdio: 'ignore',
  });
  // Its socket is there a moment before it listens.
  while (!(await isListenedOn(path))) await delay(10);
  return {
    path,
    daemon,
    [Symbol.dispose]: () => {
      daemon.kill('SIGKILL');
      tmp[Symbol.dispose]();
    },
  };
}

async function isListenedOn(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('a connection to a bus', () => {
  it('answers calls, and hands on the names of errors', async () => {
    using bus = await startBus();
    const connection = await Bus.connect({ path: bus.path, kind: 'bus' }, never);
    const [names] = await connection.call(LIST_NAMES, never);
    assert.ok((names as string[]).includes('org.freedesktop.DBus'));
    await assert.rejects(
      connection.call({ ...LIST_NAMES, member: 'Nonsense' }, never),
      (error) =>
        error instanceof BusReplyError &&
        error.errorName === 'org.freedesktop.DBus.Error.UnknownMethod',
    );
    connection.close();
  });

  it('gives up on an answer that does not come, and on one that the caller wants no more', async () => {
    using bus = await startBus();
    const connection = await Bus.connect({ path: bus.path, kind: 'bus' }, never);
    bus.daemon.kill('SIGSTOP');
    await assert.rejects(connection.call({ ...LIST_NAMES, timeoutMs: 100 }, never), {
      code: 'CALL_TIMEOUT',
      message: 'asking systemd: no answer to ListNames in 100 ms',
    });
    await assert.rejects(connection.call(LIST_NAMES, AbortSignal.timeout(50)), {
      name: 'TimeoutError',
    });
    connection.close();
  });

  it('fails all calls at once when the other side goes away', async () => {
    using bus = await startBus();
    const connection = await Bus.connect({ path: bus.path, kind: 'bus' }, never);
    bus.daemon.kill('SIGSTOP');
    const waiting = connection.call(LIST_NAMES, never);
    bus.daemon.kill('SIGKILL');
    await assert.rejects(waiting, { code: 'BUS_FAILED' });
    await assert.rejects(connection.call(LIST_NAMES, never), { code: 'BUS_FAILED' });
  });

  it('has nobody to talk to where a bus runs without systemd', async () => {
    using bus = await startBus();
    await assert.rejects(connectManager(never, [{ path: bus.path, kind: 'bus' }]), {
      code: 'NO_BUS',
    });
  });
});
