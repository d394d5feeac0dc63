// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestHex, sha256 } from '../../src/base/digest.ts';
import { probeCheckout } from '../../src/store/checkout/checkout-probe.ts';
import type { OverlayForm } from '../../src/store/checkout/checkout-support.ts';
import {
  type CheckoutPlan,
  mountCheckout,
  planCheckout,
  unmountCheckout,
} from '../../src/store/checkout/checkout.ts';
import { mountsWithin, readMountInfo } from '../../src/sys/mount-info.ts';
import { runChecked, runProcess } from '../../src/sys/process.ts';
import { erofsImageBytes } from '../support/store/erofs-image-bytes.ts';
import { noise, SampleTree } from '../support/store/sample-tree.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { unmount } from '../support/disk/unmount.ts';

const { signal } = new AbortController();
const FORMS = ['plain-lower', 'data-only'] satisfies OverlayForm[];
const SECRET = noise('another image', 5000);
const SECRET_DIGEST = sha256(SECRET);
const SECRET_PATH = `${digestHex(SECRET_DIGEST).slice(0, 2)}/${digestHex(SECRET_DIGEST).slice(2)}`;
const LARGE = noise('this image', 5000);

/** Objects as the store keeps them, the object of another image among them, and the image of `tree`. */
function lay(
  directory: string,
  tree: SampleTree,
  form: OverlayForm,
  additional?: string,
): CheckoutPlan {
  const objects = join(directory, 'objects');
  mkdirSync(objects, { mode: 0o700 });
  tree.objects.set(SECRET_DIGEST, SECRET);
  for (const [digest, bytes] of tree.objects) {
    const hex = digest.slice('sha256:'.length);
    mkdirSync(join(objects, hex.slice(0, 2)), { recursive: true, mode: 0o700 });
    writeFileSync(join(objects, hex.slice(0, 2), hex.slice(2)), bytes, { mode: 0o400 });
  }
  writeFileSync(join(directory, 'image'), erofsImageBytes(tree, tree).bytes, { mode: 0o600 });
  return planCheckout(
    { method: 'erofs-overlay', form, verity: false, reason: '' },
    {
      image: join(directory, 'image'),
      objects,
      ...(additional !== undefined && { additional }),
      meta: join(directory, 'run/meta'),
      rootfs: join(directory, 'run/rootfs'),
      plainTree: join(directory, 'plain'),
      sealed: false,
    },
  );
}

/** Runs `look` on the mounted root of `tree`. */
async function mounted(
  form: OverlayForm,
  tree: SampleTree,
  look: (rootfs: string) => Promise<void> | void,
): Promise<void> {
  using tmp = temporaryDirectory('checkout', '/dev/shm');
  const plan = lay(tmp.directory, tree, form);
  const rootfs = await mountCheckout(plan, signal);
  try {
    await look(rootfs);
  } finally {
    await unmountCheckout(plan);
  }
  assert.deepEqual(mountsWithin(readMountInfo(), tmp.directory), []);
}

for (const form of FORMS) {
  describe(`a mounted checkout (${form})`, () => {
    it('never shows the objects', async () => {
      const tree = new SampleTree(64);
      tree.file('file', LARGE);
      await mounted(form, tree, (rootfs) => {
        assert.deepEqual(readdirSync(rootfs), ['file']);
        assert.equal(existsSync(join(rootfs, SECRET_PATH)), false);
        assert.equal(existsSync(join(rootfs, SECRET_PATH.slice(0, 2))), false);
      });
    });

    it('never merges a directory of the image with one of objects that has its name', async () => {
      const shard = SECRET_PATH.slice(0, 2);
      const tree = new SampleTree(64);
      tree.file(`${shard}/own`, 'own');
      await mounted(form, tree, (rootfs) => {
        assert.deepEqual(readdirSync(join(rootfs, shard)), ['own']);
        assert.equal(existsSync(join(rootfs, SECRET_PATH)), false);
      });
    });

    it('lets no xattr of a layer expose an object of another image', async () => {
      const tree = new SampleTree(64);
      const xattrs = {
        'trusted.overlay.redirect': `/${SECRET_PATH}`,
        'trusted.overlay.metacopy': '',
      };
      tree.file('small', 'small', { xattrs });
      tree.file('large', LARGE, { xattrs });
      tree.directory('directory', {
        xattrs: { 'trusted.overlay.redirect': `/${SECRET_PATH.slice(0, 2)}` },
      });
      await mounted(form, tree, (rootfs) => {
        assert.equal(readFileSync(join(rootfs, 'small'), 'utf8'), 'small');
        assert.deepEqual(readFileSync(join(rootfs, 'large')), LARGE);
        assert.deepEqual(readdirSync(join(rootfs, 'directory')), []);
      });
    });

    it('shows a 0:0 character device of a layer as a file, not as a deletion', async () => {
      const tree = new SampleTree(64);
      tree.device('device', 'char', [0, 0], { mode: 0o640 });
      await mounted(form, tree, (rootfs) => {
        const stat = lstatSync(join(rootfs, 'device'));
        assert.deepEqual([stat.isFile(), stat.size, stat.mode & 0o7777], [true, 0, 0o640]);
      });
    });

    it('lets an unprivileged user read and run what root alone can open in the store', async () => {
      const tree = new SampleTree(64);
      tree.file('large', LARGE);
      tree.file('bin/large.sh', `#!/bin/sh\necho ran\n${'#'.repeat(5000)}\n`, { mode: 0o755 });
      tree.file('bin/small.sh', '#!/bin/sh\necho ran\n', { mode: 0o755 });
      await mounted(form, tree, async (rootfs) => {
        const script = 'cat large && bin/large.sh && bin/small.sh';
        // The way there is root's alone: the working directory is entered before the user changes.
        const { stdout } = await runChecked(
          'setpriv',
          ['--reuid=65534', '--clear-groups', 'sh', '-c', script],
          { cwd: rootfs },
        );
        assert.deepEqual(stdout, Buffer.concat([LARGE, Buffer.from('ran\nran\n')]));
      });
    });

    it('runs programs whose objects lie on a mount with noexec, nosuid and nodev', async () => {
      using tmp = temporaryDirectory('checkout', '/dev/shm');
      const tree = new SampleTree(64);
      tree.file('large.sh', `#!/bin/sh\necho ran\n${'#'.repeat(5000)}\n`, { mode: 0o4755 });
      const plan = lay(tmp.directory, tree, form);
      const objects = join(tmp.directory, 'objects');
      await runChecked('mount', ['--bind', objects, objects]);
      await runChecked('mount', ['-o', 'remount,bind,ro,noexec,nosuid,nodev', objects]);
      try {
        const rootfs = await mountCheckout(plan, signal);
        const { stdout } = await runChecked(join(rootfs, 'large.sh'), []);
        assert.equal(stdout.toString(), 'ran\n');
        assert.equal(statSync(join(rootfs, 'large.sh')).mode & 0o7777, 0o4755);
      } finally {
        await unmountCheckout(plan);
        await runChecked('umount', [objects]);
      }
    });

    it('cannot be written, not even by root', async () => {
      const tree = new SampleTree(64);
      tree.file('file', LARGE);
      await mounted(form, tree, (rootfs) => {
        assert.throws(() => writeFileSync(join(rootfs, 'file'), ''), { code: 'EROFS' });
        assert.throws(() => mkdirSync(join(rootfs, 'new')), { code: 'EROFS' });
      });
    });
  });
}

describe('mountCheckout', () => {
  it('leaves nothing mounted when the overlay fails', async () => {
    using tmp = temporaryDirectory('checkout', '/dev/shm');
    const plan = lay(tmp.directory, new SampleTree(64), 'plain-lower');
    assert.ok(plan.method === 'erofs-overlay');
    const [meta, rootfs] = plan.mounts;
    const broken = {
      ...plan,
      mounts: [meta, { ...rootfs, options: ['lowerdir=/nowhere'] }],
    } as const;
    await assert.rejects(mountCheckout(broken, signal), {
      code: 'MOUNT_FAILED',
      message: /^mounting ".*\/image": /,
    });
    assert.deepEqual(mountsWithin(readMountInfo(), tmp.directory), []);
  });

  it('fails on a file that is not an image', async () => {
    using tmp = temporaryDirectory('checkout', '/dev/shm');
    const plan = lay(tmp.directory, new SampleTree(64), 'plain-lower');
    writeFileSync(join(tmp.directory, 'image'), Buffer.alloc(8192));
    await assert.rejects(mountCheckout(plan, signal), { code: 'MOUNT_FAILED' });
  });

  it('throws the reason of an abort and leaves nothing mounted', async () => {
    using tmp = temporaryDirectory('checkout', '/dev/shm');
    const plan = lay(tmp.directory, new SampleTree(64), 'plain-lower');
    const reason = new Error('enough');
    await assert.rejects(mountCheckout(plan, AbortSignal.abort(reason)), reason);
    assert.deepEqual(mountsWithin(readMountInfo(), tmp.directory), []);
  });
});

describe('unmountCheckout', () => {
  it('passes over what is not mounted', async () => {
    using tmp = temporaryDirectory('checkout', '/dev/shm');
    const plan = lay(tmp.directory, new SampleTree(64), 'plain-lower');
    await unmountCheckout(plan);
    assert.equal(existsSync(join(tmp.directory, 'run')), false);
  });

  it('says so when the root is in use, and leaves it mounted', async () => {
    using tmp = temporaryDirectory('checkout', '/dev/shm');
    const tree = new SampleTree(64);
    tree.file('file', 'x');
    const plan = lay(tmp.directory, tree, 'plain-lower');
    const rootfs = await mountCheckout(plan, signal);
    const user = new AbortController();
    const sleeping = runProcess('sleep', ['60'], { cwd: rootfs, signal: user.signal });
    try {
      await assert.rejects(unmountCheckout(plan), {
        code: 'MOUNT_FAILED',
        message: /^unmounting ".*\/rootfs": .* busy\.?$/,
      });
      assert.ok(existsSync(join(rootfs, 'file')));
    } finally {
      user.abort();
      await sleeping.catch(() => undefined);
      // It has got the signal; that it has ended is not said.
      await unmount(rootfs);
      await unmountCheckout(plan);
    }
  });
});

for (const form of FORMS) {
  describe(`an additional store under the own one (${form})`, () => {
    it('gives the objects that the own one lacks, and shows none', async () => {
      using tmp = temporaryDirectory('checkout', '/dev/shm');
      const tree = new SampleTree(64);
      const theirs = noise('theirs', 6000);
      tree.file('ours', LARGE);
      tree.file('theirs', theirs);
      const additional = join(tmp.directory, 'additional');
      const plan = lay(tmp.directory, tree, form, additional);
      const hex = digestHex(sha256(theirs));
      const [shard, name] = [hex.slice(0, 2), hex.slice(2)];
      mkdirSync(join(additional, 'objects', shard), { recursive: true });
      renameSync(
        join(tmp.directory, 'objects', shard, name),
        join(additional, 'objects', shard, name),
      );
      const rootfs = await mountCheckout(plan, signal);
      try {
        assert.deepEqual(readFileSync(join(rootfs, 'theirs')), theirs);
        assert.deepEqual(readFileSync(join(rootfs, 'ours')), LARGE);
        assert.deepEqual(readdirSync(rootfs).sort(), ['ours', 'theirs']);
        assert.ok(!existsSync(join(rootfs, shard, name)));
      } finally {
        await unmountCheckout(plan);
      }
    });
  });
}

describe('probeCheckout', () => {
  it('finds out that this host can mount, leaves nothing, and remembers', async () => {
    using tmp = temporaryDirectory('probe', '/dev/shm');
    const objects = join(tmp.directory, 'objects');
    mkdirSync(objects);
    const options = { objects, runtimeDirectory: join(tmp.directory, 'run'), signal };
    const support = await probeCheckout(options);
    assert.deepEqual(support, {
      method: 'erofs-overlay',
      form: 'plain-lower',
      verity: support.method === 'erofs-overlay' && support.verity,
      reason: 'an image and an overlay were mounted and read here',
    });
    assert.deepEqual(readdirSync(options.runtimeDirectory), ['checkout-probe.json']);
    assert.deepEqual(mountsWithin(readMountInfo(), tmp.directory), []);
    assert.deepEqual(await probeCheckout(options), support);
  });

  it('trusts what it remembers of this boot only', async () => {
    using tmp = temporaryDirectory('probe', '/dev/shm');
    const objects = join(tmp.directory, 'missing');
    const memory = join(tmp.directory, 'checkout-probe.json');
    const options = { objects, runtimeDirectory: tmp.directory, signal };
    const bootID = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    writeFileSync(memory, JSON.stringify({ bootID, objects, form: 'data-only', verity: false }));
    const known = await probeCheckout(options);
    assert.ok(known.method === 'erofs-overlay' && known.form === 'data-only');
    for (const text of [
      JSON.stringify({ bootID: 'another', objects, form: 'data-only' }),
      JSON.stringify({ bootID, objects: '/elsewhere', form: 'data-only' }),
      JSON.stringify({ bootID, objects, form: 'other' }),
      '{"bootID',
    ]) {
      writeFileSync(memory, text);
      assert.equal((await probeCheckout(options)).method, 'plain-tree');
    }
  });

  it('says why it takes the plain tree, and does not remember that', async () => {
    using tmp = temporaryDirectory('probe', '/dev/shm');
    const runtimeDirectory = join(tmp.directory, 'run');
    const objects = join(tmp.directory, 'missing');
    const support = await probeCheckout({ objects, runtimeDirectory, signal });
    assert.equal(support.method, 'plain-tree');
    assert.match(support.reason, /^mount: /);
    assert.deepEqual(readdirSync(runtimeDirectory), []);
  });

  it('uses data-only layers where a plain lower would show more than objects', async () => {
    using tmp = temporaryDirectory('probe', '/dev/shm');
    const objects = join(tmp.directory, 'objects');
    mkdirSync(join(objects, 'lost+found'), { recursive: true });
    const support = await probeCheckout({ objects, runtimeDirectory: tmp.directory, signal });
    assert.ok(support.method === 'erofs-overlay');
    assert.equal(support.form, 'data-only');
  });
});
