// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { refuseAliases } from '../../../../src/container/host/refuse-aliases.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

function refuse(install: string): void {
  using tmp = temporaryDirectory('aliases');
  for (const [directory, unit] of [
    ['usr/lib/systemd/system', 'dbus.service'],
    ['etc/systemd/system', 'mine.service'],
  ] as const) {
    mkdirSync(join(tmp.directory, directory), { recursive: true });
    writeFileSync(join(tmp.directory, directory, unit), '[Service]\nExecStart=/bin/true\n');
  }
  const text = `[Service]\nExecStart=/bin/true\n[Install]\n${install}\n`;
  refuseAliases('web', [{ name: 'web.service', text }], new HostRoot(tmp.directory));
}

describe('the [Install] section of a unit of an image', () => {
  it('unit-alias-takeover: cannot put the container in the place of units of the host', () => {
    assert.throws(() => refuse('Alias=dbus.service new.service mine.service'), {
      code: 'UNIT_EXISTS',
      message: /names units of the host: "dbus\.service", "mine\.service"$/,
    });
  });

  it('cannot switch units of the host on and off', () => {
    assert.throws(() => refuse('Also=mine.service'), { code: 'UNIT_EXISTS' });
  });

  it('may name others, and itself, and what wants it', () => {
    refuse('Alias=new.service web.service\nWantedBy=dbus.service multi-user.target');
  });
});
