// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BusReplyError } from '../../../src/systemd/bus.ts';
import { toSystemdError } from '../../../src/systemd/reply-error.ts';

describe('toSystemdError', () => {
  for (const [name, code] of [
    ['org.freedesktop.systemd1.NoSuchUnit', 'UNIT_NOT_FOUND'],
    ['org.freedesktop.systemd1.UnitMasked', 'UNIT_MASKED'],
    ['org.freedesktop.systemd1.BadUnitSetting', 'UNIT_INVALID'],
    ['org.freedesktop.systemd1.UnitExists', 'ENABLE_CONFLICT'],
    ['org.freedesktop.DBus.Error.AccessDenied', 'REFUSED'],
    ['org.freedesktop.DBus.Error.ServiceUnknown', 'NO_BUS'],
    ['org.freedesktop.DBus.Error.NoMemory', 'BUS_FAILED'],
  ]) {
    it(`makes ${code} of ${name}`, () => {
      const error = toSystemdError(new BusReplyError(name ?? '', 'Said so.'), 'starting a.service');
      assert.equal((error as { code: string }).code, code);
      assert.equal((error as Error).message, 'starting a.service: systemd says "Said so"');
    });
  }

  it('leaves other errors as they are', () => {
    const error = new Error('x');
    assert.equal(toSystemdError(error, 'starting'), error);
  });
});
