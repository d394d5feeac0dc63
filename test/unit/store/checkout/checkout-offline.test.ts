// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { offlineCheckout } from '../../../../src/store/checkout/checkout-offline.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

const BUILTIN = 'kernel/fs/overlayfs/overlay.ko\nkernel/drivers/block/loop.ko\n';
const ALL = `${BUILTIN}kernel/fs/erofs/erofs.ko\n`;

describe('offlineCheckout', () => {
  const cases = [
    {
      name: 'takes the default for a root without a kernel',
      files: {},
      method: 'erofs-overlay',
      reason: /^the root has no kernel/,
    },
    {
      name: 'counts modules built in and modules apart, compressed or not',
      files: {
        '6.1.0-1/modules.builtin': BUILTIN,
        '6.1.0-1/modules.dep': 'kernel/fs/erofs/erofs.ko.xz: kernel/lib/libcrc32c.ko.xz\n',
      },
      method: 'erofs-overlay',
      reason: /^the root has a kernel with erofs, overlay, loop: 6\.1\.0-1$/,
    },
    {
      name: 'chooses the plain tree when one of the kernels lacks a module',
      files: { '5.10.0-1/modules.builtin': BUILTIN, '6.1.0-1/modules.builtin': ALL },
      method: 'plain-tree',
      reason: /^kernel 5\.10\.0-1 of the root has no erofs$/,
    },
    {
      name: 'is not fooled by a module that only another one names',
      files: {
        '6.1.0-1/modules.builtin': BUILTIN,
        '6.1.0-1/modules.dep': 'kernel/other.ko: kernel/fs/erofs/erofs.ko\n',
      },
      method: 'plain-tree',
      reason: /has no erofs$/,
    },
    {
      name: 'passes over what a removed kernel left',
      files: { '5.4.0/extra/vendor.ko': '', '6.1.0-1/modules.builtin': ALL },
      method: 'erofs-overlay',
      reason: /: 6\.1\.0-1$/,
    },
  ];

  for (const { name, files, method, reason } of cases) {
    it(name, () => {
      using tmp = temporaryDirectory('offline');
      for (const [path, text] of Object.entries(files)) {
        const real = join(tmp.directory, 'usr/lib/modules', path);
        mkdirSync(dirname(real), { recursive: true });
        writeFileSync(real, text);
      }
      // As in a root of today, and absolute: it must be followed inside the root.
      symlinkSync('/usr/lib', join(tmp.directory, 'lib'));
      const support = offlineCheckout(new HostRoot(tmp.directory));
      assert.equal(support.method, method);
      assert.match(support.reason, reason);
    });
  }
});
