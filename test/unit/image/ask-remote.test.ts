// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DirectoryMembers } from '../../../src/archive/directory-members.ts';
import { sha256 } from '../../../src/base/digest.ts';
import { askRemote } from '../../../src/image/ask-remote.ts';
import { DirSource } from '../../../src/image/source/dir-source.ts';
import { RegistryError } from '../../../src/registry/http/registry-error.ts';
import { MANIFEST_BYTES } from '../../support/registry/scripted-registry.ts';
import { temporaryDirectory } from '../../support/tmp.ts';

const LINUX = { os: 'linux', architecture: 'amd64', variant: '' };
const INDEX = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
});

interface Case {
  readonly answer: string;
  readonly manifest: string | Buffer;
  readonly state: string;
  readonly reason?: RegExp;
}

const cases: readonly Case[] = [
  { answer: 'the same image', manifest: MANIFEST_BYTES, state: 'unchanged' },
  { answer: 'another image', manifest: `${MANIFEST_BYTES.toString()} `, state: 'moved' },
  { answer: 'an index without an image for the host', manifest: INDEX, state: 'gone' },
  { answer: 'no JSON', manifest: '<html>', state: 'unreachable', reason: /invalid symbol/ },
  { answer: 'no manifest', manifest: '{}', state: 'unreachable', reason: /schemaVersion/ },
];

describe('askRemote', () => {
  for (const { answer, manifest, state, reason } of cases) {
    it(`tells ${state} of ${answer}, and goes on`, async () => {
      using tmp = temporaryDirectory('ask-remote');
      writeFileSync(join(tmp.directory, 'manifest.json'), manifest);
      const image = { source: 'docker://a.b/c:1', manifestDigest: sha256(MANIFEST_BYTES) };
      const remote = await askRemote(image, LINUX, async (text) => {
        assert.equal(text, 'docker://a.b/c:1');
        return new DirSource(tmp.directory, new DirectoryMembers(tmp.directory));
      });
      assert.equal(remote.state, state);
      if (reason !== undefined) assert.match('reason' in remote ? remote.reason : '', reason);
    });
  }

  it('tells unreachable of a registry that is blocked, and goes on', async () => {
    const image = { source: 'docker://a.b/c:1', manifestDigest: sha256(MANIFEST_BYTES) };
    const remote = await askRemote(image, LINUX, () =>
      Promise.reject(new RegistryError('BLOCKED', 'a.b/c:1: registry "a.b" is blocked')),
    );
    assert.deepEqual(remote, {
      state: 'unreachable',
      reason: 'a.b/c:1: registry "a.b" is blocked',
    });
  });
});
