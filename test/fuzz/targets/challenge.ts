// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type Challenge, parseChallenges } from '../../../src/registry/login/challenge.ts';
import type { FuzzTarget } from '../target.ts';

const SEEDS = [
  'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull"',
  'Basic realm="x", Bearer realm=y',
  'Negotiate abcd==, Basic realm="a\\"b\\\\c"',
  'Bearer , ,realm = "x" ,, error=insufficient_scope',
  'Basic',
];

/** `WWW-Authenticate`: never throws, costs little, and says the same when it is written down and read again. */
export const target: FuzzTarget = {
  seeds: SEEDS.map((text) => Buffer.from(text)),
  maxLength: 18_000,
  run: (input) => {
    // Header values are bytes; of one given several times, the lines.
    const headers = input.toString('latin1').split('\n');
    const challenges = parseChallenges(headers);
    for (const { scheme, parameters } of challenges) {
      assert.equal(scheme, scheme.toLowerCase());
      for (const name of parameters.keys()) assert.equal(name, name.toLowerCase());
    }
    const named = challenges.filter(({ parameters }) => parameters.size > 0);
    assert.deepEqual(parseChallenges(named.map(print)), named);
  },
};

function print({ scheme, parameters }: Challenge): string {
  const quoted = [...parameters].map(
    ([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`,
  );
  return `${scheme} ${quoted.join(', ')}`;
}
