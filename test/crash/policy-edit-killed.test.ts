// SPDX-License-Identifier: Apache-2.0
// kill -9 of edits of the trust policy at every step. What is on disk then loads, and decides either as before or as after the
// edit: no policy names a key that is not there. The next edit is not in its way.
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateKeyPairSync } from 'node:crypto';
import { createGpgHome } from '../support/trust/gpg.ts';
import { type KillPoint, runKilled, tracerHere, watchCalls } from '../support/host/kill-points.ts';
import { SYSCT, sysctOffline, sysctOfflineChecked } from '../support/host/shipped-sysct.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const tmp = temporaryDirectory('policy-killed', '/dev/shm');
const root = join(tmp.directory, 'root');
const etc = join(root, 'etc');
const saved = join(tmp.directory, 'saved');
const tracer = tracerHere(tmp.directory);
const gpgKey = join(tmp.directory, 'release.gpg');
const cosignKey = join(tmp.directory, 'release.pub');

before(async () => {
  await using home = await createGpgHome();
  writeFileSync(gpgKey, await home.exportPublicKey(await home.createKey()));
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(cosignKey, publicKey.export({ type: 'spki', format: 'pem' }));
});

after(() => {
  tmp[Symbol.dispose]();
});

interface Edit {
  readonly name: string;
  /** Edits that come before it. */
  readonly given: readonly (readonly string[])[];
  readonly edit: readonly string[];
  /** Paths of /etc that it changes; the last one decides, and may name the others. */
  readonly writes: readonly RegExp[];
}

const ALLOW = [
  'trust',
  'allow',
  'quay.io/a',
  '--gpg-key',
  gpgKey,
  '--lookaside',
  'https://s.example/',
];

const EDITS: readonly Edit[] = [
  {
    name: 'the first edit, with key, lookaside and policy',
    given: [],
    edit: ALLOW,
    writes: [/^pki\/containers\/release\.gpg$/, /registries\.d\/sysct\.yaml$/, /policy\.json$/],
  },
  {
    name: 'one more scope, with a sigstore key',
    given: [ALLOW],
    edit: ['trust', 'allow', 'ghcr.io/b', '--sigstore-key', cosignKey, '--sigstore-attachments'],
    writes: [/^pki\/containers\/release\.pub$/, /registries\.d\/sysct\.yaml$/, /policy\.json$/],
  },
  {
    name: 'a scope that is rejected',
    given: [ALLOW],
    edit: ['trust', 'reject', 'quay.io/a'],
    writes: [/policy\.json$/],
  },
  {
    name: 'a requirement of trust.d, with a key',
    given: [ALLOW],
    edit: ['trust', 'require', 'quay.io/a', '--attested', 'spdx', '--sigstore-key', cosignKey],
    writes: [/^pki\/containers\/release\.pub$/, /^sysct\/trust\.d\/sysct\.json$/],
  },
];

/** Path below /etc → content; files that are being written are not in it, nor do they count. */
function filesNow(): ReadonlyMap<string, string> {
  const paths = readdirSync(etc, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(etc, path)).isFile(),
  );
  return new Map(
    paths
      .filter((path) => !path.endsWith('.tmp'))
      .toSorted()
      .map((path) => [path, readFileSync(join(etc, path), 'latin1')]),
  );
}

function temporaries(): readonly string[] {
  const paths = readdirSync(etc, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => path.endsWith('.tmp'));
}

function startAgain(): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  cpSync(saved, root, { recursive: true });
}

function lineOf([group = '', verb = '', ...rest]: readonly string[]): readonly string[] {
  return [SYSCT, group, verb, '--root', root, ...rest];
}

function ofTheEdit(points: readonly KillPoint[]): readonly KillPoint[] {
  const first = points.findIndex(({ text }) => text.includes(etc) || text.includes('.tmp'));
  return points.slice(Math.max(0, first));
}

describe('an edit of the trust policy that is killed', () => {
  for (const { name, given, edit, writes } of EDITS) {
    it(`is there whole or not at all: ${name}`, async () => {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(etc, { recursive: true });
      for (const line of given) await sysctOfflineChecked(root, line);
      rmSync(saved, { recursive: true, force: true });
      cpSync(root, saved, { recursive: true });
      const old = filesNow();
      const points = ofTheEdit(await watchCalls(tracer, lineOf(edit)));
      const new_ = filesNow();
      const changed = [...new_.keys()].filter((path) => old.get(path) !== new_.get(path));
      assert.equal(changed.length, writes.length, changed.join(' '));
      const order = writes.map((pattern) => changed.find((path) => pattern.test(path)) ?? '');
      const seen = new Set<number>();
      let killed = 0;
      for (const point of points) {
        startAgain();
        const isKilled = await runKilled(tracer, point, lineOf(edit));
        if (isKilled) killed += 1;
        const now = filesNow();
        if (!isKilled) assert.deepEqual(now, new_, point.text);
        // Each file is the old one or the new one; what names the others is new only when they are.
        const done = order.filter((path) => now.get(path) === new_.get(path));
        const expected = new Map(old);
        for (const path of done) expected.set(path, new_.get(path) ?? '');
        assert.deepEqual(now, expected, point.text);
        if (done.includes(order.at(-1) ?? '')) assert.equal(done.length, order.length, point.text);
        seen.add(done.length);
        const lint = await sysctOffline(root, ['trust', 'lint', '--json']);
        const { findings } = JSON.parse(lint.stdout) as { findings: readonly { code: string }[] };
        const codes = findings.map(({ code }) => code);
        const hasPolicy = now.has('containers/policy.json');
        for (const code of ['does-not-load', 'unreadable-key', 'invalid-key'])
          assert.ok(!hasPolicy || !codes.includes(code), `${point.text}: ${lint.stdout}`);
        await sysctOfflineChecked(root, edit);
        assert.deepEqual(filesNow(), new_, point.text);
        if (isKilled) assert.deepEqual(temporaries(), [], point.text);
      }
      assert.ok(killed > 5 && killed > points.length / 2, `${killed} of ${points.length} points`);
      assert.ok(seen.has(0) && seen.has(order.length), [...seen].join(' '));
    });
  }
});
