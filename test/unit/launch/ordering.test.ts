// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertNoOrderCycle, findOrderCycle } from '../../../src/launch/ordering.ts';

const unit = (name: string, before: string, after: string) => ({
  unit: name,
  before: before.split(' ').filter((x) => x !== ''),
  after: after.split(' ').filter((x) => x !== ''),
});

describe('findOrderCycle', () => {
  it('finds none in etcd, flannel, docker', () => {
    const units = [
      unit('etcd', 'docker', ''),
      unit('flannel', 'docker', 'etcd'),
      unit('kubelet', '', 'docker'),
    ];
    assert.equal(findOrderCycle(units), undefined);
  });

  const cycles: readonly (readonly [
    string,
    readonly ReturnType<typeof unit>[],
    readonly string[],
  ])[] = [
    ['of one', [unit('a', 'a', '')], ['a', 'a']],
    ['of two', [unit('a', 'b', 'b')], ['a', 'b', 'a']],
    [
      'through a unit that is only named',
      [unit('a', 'docker', ''), unit('b', 'a', 'docker')],
      ['a', 'docker', 'b', 'a'],
    ],
    [
      'behind a tail',
      [unit('tail', 'a', ''), unit('a', 'b', ''), unit('b', 'c', ''), unit('c', 'a', '')],
      ['a', 'b', 'c', 'a'],
    ],
  ];
  for (const [name, units, cycle] of cycles) {
    it(`finds a circle ${name}`, () => {
      assert.deepEqual(findOrderCycle(units), cycle);
    });
  }

  it('walks long chains and many ways to one unit quickly', () => {
    const long = Array.from({ length: 20_000 }, (_, n) =>
      unit(`u${n}`, `u${n + 1} u${n + 2} u${n + 3}`, ''),
    );
    assert.equal(findOrderCycle(long), undefined);
  });

  it('names the circle in the error', () => {
    assert.throws(() => assertNoOrderCycle([unit('a.service', 'b.service', 'b.service')]), {
      code: 'ORDER_CYCLE',
      message: 'the start order is a circle: a.service before b.service before a.service',
    });
  });
});
