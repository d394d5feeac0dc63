// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog } from '../../../../src/base/log.ts';
import { noProgress } from '../../../../src/base/progress.ts';
import { containerNames } from '../../../../src/container/record/container-directory.ts';
import { lockSwitches } from '../../../../src/container/switch/recover-switches.ts';
import { openServiceControl } from '../../../../src/container/host/service-control.ts';
import { openStore } from '../../../../src/store/store.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

describe('taking the lock of all switches', () => {
  it('goes on when the journal of one container is damaged, and says so', async () => {
    using tmp = temporaryDirectory('recover');
    const containersPath = join(tmp.directory, 'containers');
    mkdirSync(join(containersPath, 'broken'), { recursive: true });
    writeFileSync(join(containersPath, 'broken/switch.json'), '{"version": 9}');
    mkdirSync(join(containersPath, 'half-built/.1.building'), { recursive: true });
    const warnings: string[] = [];
    const host = new HostRoot(tmp.directory);
    const { signal } = new AbortController();
    const store = await openStore(join(tmp.directory, 'store'), { log: silentLog });
    const parts = {
      host,
      store,
      openAdditional: () => Promise.resolve([]),
      pullStore: store,
      storePath: '/var/lib/sysct',
      storePaths: ['/var/lib/sysct'],
      containersPath,
      log: { ...silentLog, warn: (message: string) => warnings.push(message) },
      progress: noProgress,
      now: () => new Date(),
      signal,
    };
    await using control = await openServiceControl(host, signal);
    using lock = await lockSwitches(parts, control);
    assert.ok(lock);
    assert.deepEqual(containerNames(containersPath), ['broken']);
    assert.match(warnings.join(), /container broken is broken and left as it is/);
  });
});
