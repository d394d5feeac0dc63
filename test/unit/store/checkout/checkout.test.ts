// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planCheckout, type CheckoutPlaces } from '../../../../src/store/checkout/checkout.ts';

const PLACES: CheckoutPlaces = {
  image: '/var/lib/sysct/containers/etcd/1/rootfs.erofs',
  objects: '/var/lib/sysct/objects',
  meta: '/run/sysct/etcd/1/meta',
  rootfs: '/run/sysct/etcd/1/rootfs',
  plainTree: '/var/lib/sysct/containers/etcd/1/rootfs',
  sealed: false,
};

describe('planCheckout', () => {
  it('mounts the image, then the overlay of it on the objects', () => {
    const support = {
      method: 'erofs-overlay',
      form: 'plain-lower',
      verity: true,
      reason: 'tried',
    } as const;
    assert.deepEqual(planCheckout(support, PLACES), {
      method: 'erofs-overlay',
      form: 'plain-lower',
      verityLevel: 'none',
      reason: 'tried',
      mounts: [
        {
          what: PLACES.image,
          where: PLACES.meta,
          type: 'erofs',
          options: ['ro', 'nosuid', 'nodev', 'noexec'],
        },
        {
          what: 'overlay',
          where: PLACES.rootfs,
          type: 'overlay',
          options: [
            'ro',
            'metacopy=on',
            'redirect_dir=on',
            'lowerdir=/run/sysct/etcd/1/meta:/var/lib/sysct/objects',
          ],
        },
      ],
    });
  });

  it('sets data-only layers apart by two colons', () => {
    assert.equal(lowerdir('data-only', PLACES), `lowerdir=${PLACES.meta}::${PLACES.objects}`);
  });

  it('escapes the colons and backslashes of paths', () => {
    const places = { ...PLACES, objects: '/a:b\\c/objects' };
    assert.equal(lowerdir('plain-lower', places), `lowerdir=${PLACES.meta}:/a\\:b\\\\c/objects`);
  });

  for (const character of [',', '"', '\n']) {
    it(`refuses a store whose path holds ${JSON.stringify(character)}`, () => {
      const places = { ...PLACES, objects: `/a${character}b/objects` };
      assert.throws(() => lowerdir('plain-lower', places), { code: 'MOUNT_FAILED' });
    });
  }

  for (const [form, lower] of [
    ['plain-lower', `${PLACES.meta}:${PLACES.objects}:/srv/nfs/objects`],
    ['data-only', `${PLACES.meta}::${PLACES.objects}::/srv/nfs/objects`],
  ] as const) {
    it(`puts an additional store under the own one, and can do without (${form})`, () => {
      const support = { method: 'erofs-overlay', form, verity: false, reason: '' } as const;
      const plan = planCheckout(support, { ...PLACES, additional: '/srv/nfs' });
      assert.ok(plan.method === 'erofs-overlay');
      assert.equal(plan.additional?.store, '/srv/nfs');
      assert.equal(plan.additional.options.at(-1), `lowerdir=${lower}`);
      assert.equal(plan.mounts[1].options.at(-1), lowerdir(form, PLACES));
    });
  }

  for (const { sealed, verity, level } of [
    { sealed: true, verity: true, level: 'enforce' },
    { sealed: true, verity: false, level: 'detect' },
    { sealed: false, verity: true, level: 'none' },
  ]) {
    it(`has the level ${level} for ${sealed ? 'sealed' : 'unsealed'} objects on a kernel that ${verity ? 'enforces' : 'does not'}`, () => {
      const support = {
        method: 'erofs-overlay',
        form: 'plain-lower',
        verity,
        reason: '',
      } as const;
      const plan = planCheckout(support, { ...PLACES, sealed });
      assert.ok(plan.method === 'erofs-overlay');
      assert.equal(plan.verityLevel, level);
      const requires = plan.mounts[1].options.includes('verity=require');
      assert.equal(requires, level === 'enforce');
    });
  }

  it('needs no mounts for a plain tree, and keeps the reason', () => {
    const support = { method: 'plain-tree', reason: 'no erofs' } as const;
    assert.deepEqual(planCheckout(support, PLACES), { ...support, directory: PLACES.plainTree });
  });
});

function lowerdir(form: 'plain-lower' | 'data-only', places: CheckoutPlaces): string {
  const plan = planCheckout({ method: 'erofs-overlay', form, verity: false, reason: '' }, places);
  assert.ok(plan.method === 'erofs-overlay');
  return plan.mounts[1].options.at(-1)!;
}
