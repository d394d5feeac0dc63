// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseDigest } from '../../../../src/base/digest.ts';
import { parseReference } from '../../../../src/oci/reference.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import type { HttpGet } from '../../../../src/base/http-get.ts';
import { findLookasideSignatures } from '../../../../src/trust/lookaside/lookaside.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const HEX = 'ab'.repeat(32);
const manifestDigest = parseDigest(`sha256:${HEX}`);
const reference = parseReference('quay.io:5000/coreos/etcd:v3');
const neverAsked: HttpGet = async (url) => {
  throw new Error(`asked for ${url}`);
};

async function find(
  base: string | undefined,
  httpGet: HttpGet = neverAsked,
  root = '/nonexistent',
  signal = new AbortController().signal,
) {
  const host = new HostRoot(root);
  return await findLookasideSignatures(
    { base, reference, manifestDigest },
    { host, httpGet, signal },
  );
}

/** Serves these bodies as signature-1, -2, …, then 404. */
function serving(bodies: readonly Buffer[], asked: string[] = []): HttpGet {
  return async (url) => {
    asked.push(url);
    const body = bodies[Number(/signature-(\d+)/.exec(url)?.[1]) - 1];
    return body === undefined ? { status: 404, body: Buffer.alloc(0) } : { status: 200, body };
  };
}

describe('findLookasideSignatures over http', () => {
  it('asks for signature-1, -2, … below the path of the image until one is not there', async () => {
    const asked: string[] = [];
    const found = await find('https://sigs.example/x/', serving([Buffer.from('a')], asked));
    const directory = `https://sigs.example/x/coreos/etcd@sha256=${HEX}`;
    assert.deepEqual(asked, [`${directory}/signature-1`, `${directory}/signature-2`]);
    assert.deepEqual(found, {
      candidates: [{ bytes: Buffer.from('a'), source: `${directory}/signature-1` }],
      places: [
        { place: `${directory}/signature-1`, answer: 'found' },
        { place: `${directory}/signature-2`, answer: '404' },
      ],
    });
  });

  it('keeps a query for the server, but not for messages', async () => {
    const asked: string[] = [];
    const found = await find('https://u:pw@h/s?token=1', serving([], asked));
    assert.equal(asked[0], `https://u:pw@h/s/coreos/etcd@sha256=${HEX}/signature-1?token=1`);
    assert.doesNotMatch(JSON.stringify(found), /pw|token/);
  });

  for (const status of [200.5, 204, 301, 401, 403, 410, 429, 500]) {
    it(`takes ${status} for an error, not for the end`, async () => {
      const answer = find('http://h', async () => ({ status, body: Buffer.alloc(0) }));
      await assert.rejects(
        answer,
        hasCode('SIGNATURES_UNREADABLE', new RegExp(`answers ${status}`)),
      );
    });
  }

  it('a16, a41: stops a server that always has one more', async () => {
    let asked = 0;
    const endless: HttpGet = async () => {
      asked += 1;
      return { status: 200, body: Buffer.from('x') };
    };
    await assert.rejects(
      find('http://h', endless),
      hasCode('SIGNATURES_UNREADABLE', /more than 128/),
    );
    assert.equal(asked, 129);
  });

  it('takes exactly 128 signatures', async () => {
    const bodies = Array.from({ length: 128 }, () => Buffer.from('x'));
    assert.equal((await find('http://h', serving(bodies))).candidates.length, 128);
  });

  it('a41: stops a server whose signatures are too long together', async () => {
    const long = Buffer.alloc(4 * 1024 * 1024);
    const found = find('http://h', serving(Array.from({ length: 5 }, () => long)));
    await assert.rejects(
      found,
      hasCode('SIGNATURES_UNREADABLE', /longer than 16777216 bytes together/),
    );
  });

  it('refuses one signature that is too long, whoever let it through', async () => {
    const long = serving([Buffer.alloc(4 * 1024 * 1024 + 1)]);
    await assert.rejects(
      find('http://h', long),
      hasCode('SIGNATURES_UNREADABLE', /longer than 4194304/),
    );
  });

  it('says which request failed, and why', async () => {
    const down: HttpGet = async () => {
      throw new Error('connect ECONNREFUSED');
    };
    await assert.rejects(
      find('http://h', down),
      hasCode(
        'SIGNATURES_UNREADABLE',
        /^reading signature http:\/\/h\/coreos.*signature-1: connect ECONN/,
      ),
    );
  });

  it('gives way to an abort', async () => {
    const stop = new AbortController();
    const slow: HttpGet = async () => {
      stop.abort(new Error('interrupted'));
      throw new Error('socket closed');
    };
    await assert.rejects(find('http://h', slow, '/', stop.signal), /interrupted/);
  });

  for (const base of ['ftp://h/x', '/var/lib/x', 'file://host/x', 'nonsense', 'https://']) {
    it(`refuses ${base} as a base`, async () => {
      await assert.rejects(find(base), hasCode('SIGNATURES_UNREADABLE', /is no https/));
    });
  }
});

describe('findLookasideSignatures in files', () => {
  function prepare(root: string, base = '/var/lib/containers/sigstore'): string {
    const directory = join(root, base, `coreos/etcd@sha256=${HEX}`);
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  it('reads the built-in directory inside the root', async () => {
    using tmp = temporaryDirectory('lookaside');
    const directory = prepare(tmp.directory);
    writeFileSync(join(directory, 'signature-1'), 'one');
    writeFileSync(join(directory, 'signature-3'), 'three');
    const { candidates, places } = await find(undefined, neverAsked, tmp.directory);
    const shown = `/var/lib/containers/sigstore/coreos/etcd@sha256=${HEX}`;
    assert.deepEqual(candidates, [{ bytes: Buffer.from('one'), source: `${shown}/signature-1` }]);
    assert.deepEqual(places, [
      { place: `${shown}/signature-1`, answer: 'found' },
      { place: `${shown}/signature-2`, answer: 'no such file' },
    ]);
  });

  it('follows links inside the root only', async () => {
    using tmp = temporaryDirectory('lookaside');
    const directory = prepare(tmp.directory, '/real');
    writeFileSync(join(directory, 'signature-1'), 'one');
    symlinkSync('/real', join(tmp.directory, 'link'));
    const { candidates } = await find('file:///link', neverAsked, tmp.directory);
    assert.equal(candidates.length, 1);
  });

  it('finds nothing where there is nothing', async () => {
    assert.deepEqual((await find(undefined)).candidates, []);
  });

  const odd: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['a directory', (path) => mkdirSync(path), /EISDIR|not a regular file/],
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), /not a regular file/],
    [
      'a file that is too long',
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 4 * 1024 * 1024 + 1);
      },
      /longer than 4194304 bytes/,
    ],
  ];
  for (const [name, make, message] of odd) {
    it(`refuses ${name}`, async () => {
      using tmp = temporaryDirectory('lookaside');
      make(join(prepare(tmp.directory), 'signature-1'));
      const found = find(undefined, neverAsked, tmp.directory);
      await assert.rejects(found, hasCode('SIGNATURES_UNREADABLE', message));
    });
  }

  it('takes an unreadable way for an error', async () => {
    using tmp = temporaryDirectory('lookaside');
    mkdirSync(join(tmp.directory, 's'));
    writeFileSync(join(tmp.directory, 's/coreos'), '');
    const found = find('file:///s', neverAsked, tmp.directory);
    await assert.rejects(found, hasCode('SIGNATURES_UNREADABLE', /ENOTDIR/));
  });
});
