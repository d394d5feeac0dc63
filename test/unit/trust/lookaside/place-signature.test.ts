// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runChecked } from '../../../../src/sys/process.ts';
import { placeSignature } from '../../../../src/trust/lookaside/place-signature.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

describe('placeSignature', () => {
  it('makes the directory and takes the first number that is free', () => {
    using tmp = temporaryDirectory('place');
    const directory = join(tmp.directory, 'a/b@sha256=1');
    assert.equal(placeSignature(directory, '', Buffer.from('x')), join(directory, 'signature-1'));
    writeFileSync(join(directory, 'signature-3'), 'mine');
    placeSignature(directory, '', Buffer.from('y'));
    placeSignature(directory, '', Buffer.from('z'));
    const read = (name: string) => readFileSync(join(directory, name), 'utf8');
    const names = readdirSync(directory).toSorted();
    assert.deepEqual(names, ['signature-1', 'signature-2', 'signature-3', 'signature-4']);
    assert.deepEqual(names.map(read), ['x', 'y', 'mine', 'z']);
  });

  it('counts each prefix for itself', () => {
    using tmp = temporaryDirectory('place');
    placeSignature(tmp.directory, '', Buffer.from('x'));
    placeSignature(tmp.directory, 'ab.', Buffer.from('y'));
    assert.deepEqual(readdirSync(tmp.directory).toSorted(), ['ab.signature-1', 'signature-1']);
  });

  it('says where no directory can be', () => {
    using tmp = temporaryDirectory('place');
    writeFileSync(join(tmp.directory, 'file'), '');
    assert.throws(() => placeSignature(join(tmp.directory, 'file/x'), '', Buffer.from('x')), {
      code: 'USAGE',
      message: /^writing a signature into ".*file\/x": ENOTDIR/,
    });
  });

  it('ends where a file system takes no directory', () => {
    assert.throws(() => placeSignature('/proc/sigs/app', '', Buffer.from('x')), {
      code: 'USAGE',
      message: /^writing a signature into "\/proc\/sigs\/app": ENOENT/,
    });
  });

  it('does not write more signatures than readers look at', () => {
    using tmp = temporaryDirectory('place');
    const directory = join(tmp.directory, 'full');
    mkdirSync(directory);
    for (let n = 1; n <= 128; n += 1) writeFileSync(join(directory, `signature-${n}`), '');
    assert.throws(
      () => placeSignature(directory, '', Buffer.from('x')),
      hasCode('SIGNATURES_UNREADABLE', /holds 128 signatures/),
    );
    assert.equal(readdirSync(directory).length, 128);
  });

  it('gives those who sign at the same moment numbers of their own', async () => {
    using tmp = temporaryDirectory('place');
    const module = new URL('../../../../src/trust/lookaside/place-signature.ts', import.meta.url);
    const script = `const { placeSignature } = await import(${JSON.stringify(module.href)});
      for (let n = 0; n < 10; n += 1)
        placeSignature(${JSON.stringify(tmp.directory)}, '', Buffer.from(process.argv[1] + n));`;
    await Promise.all(
      ['a', 'b', 'c'].map((who) =>
        runChecked(process.execPath, ['--input-type=module', '-e', script, who]),
      ),
    );
    const names = readdirSync(tmp.directory);
    const wanted = Array.from({ length: 30 }, (_, n) => `signature-${n + 1}`);
    assert.deepEqual(names.toSorted(), wanted.toSorted());
    const contents = names.map((name) => readFileSync(join(tmp.directory, name), 'utf8'));
    assert.equal(new Set(contents).size, 30);
  });
});
