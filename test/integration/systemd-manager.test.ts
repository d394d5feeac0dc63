// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connectManager } from '../../src/systemd/connect-manager.ts';
import type { UnitState } from '../../src/systemd/manager.ts';
import { SystemdError } from '../../src/systemd/systemd-error.ts';
import type { ManagerAnswer, ManagerCall } from '../support/host/ask-manager.ts';
import { LAUNCH_HOST_PACKAGES } from '../support/host/launch-host-packages.ts';
import { createHost, type Host, type RunningHost } from '../support/host/nspawn-host.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const SLEEP = 'ExecStart=/bin/sleep 1000';
const UNITS: Readonly<Record<string, string>> = {
  good: `[Service]\n${SLEEP}\n[Install]\nWantedBy=multi-user.target`,
  bad: '[Service]\nType=oneshot\nExecStart=/bin/sh -c "exit 7"',
  needy: `[Unit]\nRequires=bad.service\nAfter=bad.service\n[Service]\n${SLEEP}`,
  broken: '[Service]\nType=forking',
  slow: `[Service]\nType=notify\n${SLEEP}`,
  shy: `[Unit]\nRefuseManualStart=yes\n[Service]\n${SLEEP}`,
  taken: `[Service]\n${SLEEP}\n[Install]\nAlias=good.service`,
};

let host: Host;
let running: RunningHost;

before(async () => {
  host = await createHost({ packages: LAUNCH_HOST_PACKAGES });
  const units = join(host.root, 'etc/systemd/system');
  for (const [name, text] of Object.entries(UNITS)) {
    writeFileSync(join(units, `${name}.service`), `${text}\n`);
  }
  symlinkSync('/dev/null', join(units, 'masked.service'));
  running = await host.start({
    bindReadOnly: [`${REPOSITORY}:/srv`, `${realpathSync(process.execPath)}:/usr/local/bin/node`],
  });
});

after(async () => {
  await running?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

function stateOf(answer: ManagerAnswer | undefined): UnitState {
  assert.ok(answer?.value, JSON.stringify(answer));
  return answer.value as UnitState;
}

async function ask(
  kind: 'bus' | 'peer',
  ...calls: readonly ManagerCall[]
): Promise<readonly ManagerAnswer[]> {
  const program = '/srv/test/support/host/ask-manager.ts';
  const { stdout, stderr, exitCode } = await running.exec('/usr/local/bin/node', [
    program,
    kind,
    JSON.stringify(calls),
  ]);
  assert.equal(exitCode, 0, stderr);
  const lines = stdout.toString('utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as ManagerAnswer);
}

for (const kind of ['bus', 'peer'] as const) {
  describe(`systemd, asked over its ${kind === 'bus' ? 'bus' : 'own socket'}`, () => {
    it('starts, restarts and stops a service, and says so', async () => {
      const [, started, again, , restarted, stopped, gone] = await ask(
        kind,
        ['start', 'good.service'],
        ['unitState', 'good.service'],
        ['start', 'good.service'],
        ['restart', 'good.service'],
        ['unitState', 'good.service'],
        ['stop', 'good.service'],
        ['unitState', 'good.service'],
      );
      const before = stateOf(started);
      assert.equal(before.load, 'loaded');
      assert.equal(before.active, 'active');
      assert.equal(before.sub, 'running');
      assert.match(before.activeSince ?? '', /^\d{4}-\d\d-\d\dT/);
      assert.ok((before.service?.mainPid ?? 0) > 1);
      assert.equal(again?.code, undefined);
      assert.notEqual(stateOf(restarted).service?.mainPid, before.service?.mainPid);
      assert.equal(stopped?.code, undefined);
      assert.equal(stateOf(gone).active, 'inactive');
    });

    it('enables and disables, and tells the links', async () => {
      const link = '/etc/systemd/system/multi-user.target.wants/good.service';
      const [enabled, again, , state, disabled, unknown] = await ask(
        kind,
        ['enable', ['good.service']],
        ['enable', ['good.service']],
        ['reload'],
        ['unitState', 'good.service'],
        ['disable', ['nowhere.service', 'good.service']],
        ['disable', ['nowhere.service']],
      );
      const target = '/etc/systemd/system/good.service';
      assert.deepEqual(enabled?.value, [{ kind: 'symlink', path: link, target }]);
      assert.deepEqual(again?.value, []);
      assert.equal(stateOf(state).unitFileState, 'enabled');
      assert.deepEqual(disabled?.value, [{ kind: 'unlink', path: link, target: '' }]);
      assert.deepEqual(unknown?.value, []);
    });

    it('tells why a job failed, and forgets it when told so', async () => {
      const [failed, state, , reset, stranger] = await ask(
        kind,
        ['start', 'bad.service'],
        ['unitState', 'bad.service'],
        ['resetFailed', 'bad.service'],
        ['unitState', 'bad.service'],
        ['resetFailed', 'nowhere.service'],
      );
      assert.equal(failed?.code, 'JOB_FAILED');
      assert.equal(
        failed?.message,
        'starting bad.service: its job ended with failed (exit-code, status 7)',
      );
      assert.equal(failed?.hint, 'journalctl -u bad.service');
      assert.equal(stateOf(state).active, 'failed');
      assert.equal(stateOf(state).service?.execMainStatus, 7);
      assert.equal(stateOf(reset).active, 'inactive');
      assert.equal(stranger?.code, undefined);
    });

    const refusals: readonly (readonly [ManagerCall, string, RegExp])[] = [
      [['start', 'needy.service'], 'JOB_FAILED', /a unit that it requires did not start/],
      [['start', 'nowhere.service'], 'UNIT_NOT_FOUND', /starting nowhere\.service: systemd says/],
      [['start', 'masked.service'], 'UNIT_MASKED', /is masked/],
      [['start', 'broken.service'], 'UNIT_INVALID', /bad unit file setting/],
      [['start', 'no unit name'], 'UNIT_INVALID', /not valid/],
      [['start', 'shy.service'], 'REFUSED', /refuse manual start/],
      [['enable', ['nowhere.service']], 'UNIT_NOT_FOUND', /does not exist/],
      [['enable', ['masked.service']], 'UNIT_MASKED', /is masked/],
      [['enable', ['taken.service']], 'ENABLE_CONFLICT', /already exists/],
      [['start', 'slow.service', 300], 'JOB_TIMEOUT', /has not ended in 300 ms/],
      [['start', 'slow.service', 20_000, 300], 'TimeoutError', /^$/],
    ];
    it('answers what cannot be with a code of its own', async () => {
      const answers = await ask(kind, ...refusals.map(([call]) => call), ['stop', 'slow.service']);
      for (const [n, [call, code, message]] of refusals.entries()) {
        assert.equal(answers[n]?.code, code, JSON.stringify(call));
        assert.match(answers[n]?.message ?? '', message);
      }
      assert.equal(answers.at(-1)?.code, undefined);
    });

    it('does not know of a unit that is not there, and stops it without complaint', async () => {
      const [state, stopped, list] = await ask(
        kind,
        ['unitState', 'nowhere.service'],
        ['stop', 'nowhere.service'],
        ['listStates', ['nowhere.service', 'good.service']],
      );
      assert.equal(stateOf(state).load, 'not-found');
      assert.equal(stateOf(state).service, undefined);
      assert.equal(stopped?.code, undefined);
      const names = ((list?.value ?? []) as readonly UnitState[]).map(({ unit }) => unit);
      assert.deepEqual(names, ['nowhere.service', 'good.service']);
    });
  });
}

describe('a host without systemd', () => {
  const never = new AbortController().signal;

  it('is told apart, whatever is in the place of its sockets', async () => {
    using tmp = temporaryDirectory('no-bus');
    writeFileSync(join(tmp.directory, 'file'), '');
    await assert.rejects(
      connectManager(never, [
        { path: join(tmp.directory, 'none'), kind: 'bus' },
        { path: join(tmp.directory, 'file'), kind: 'peer' },
      ]),
      (error) =>
        error instanceof SystemdError && error.code === 'NO_BUS' && /--root/.test(error.hint ?? ''),
    );
  });

  it('does not keep us waiting when somebody listens and hangs up', async () => {
    using tmp = temporaryDirectory('hang-up');
    const path = join(tmp.directory, 'socket');
    const server = createServer((socket) => socket.destroy());
    await listen(server, path);
    try {
      for (const kind of ['bus', 'peer'] as const) {
        await assert.rejects(connectManager(never, [{ path, kind }]), { code: 'NO_BUS' });
      }
    } finally {
      server.close();
    }
  });

  it('is given up on when the caller aborts', async () => {
    using tmp = temporaryDirectory('silent');
    const path = join(tmp.directory, 'socket');
    const server = createServer();
    await listen(server, path);
    try {
      await assert.rejects(connectManager(AbortSignal.timeout(100), [{ path, kind: 'bus' }]), {
        name: 'TimeoutError',
      });
    } finally {
      server.close();
    }
  });
});

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve) => server.listen(path, resolve));
}
