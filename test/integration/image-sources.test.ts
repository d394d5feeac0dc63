// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { digestHex } from '../../src/base/digest.ts';
import type { ImageSource } from '../../src/image/source/image-source.ts';
import { openSource } from '../../src/image/source/open-source.ts';
import { readImageConfig, resolveImage } from '../../src/image/source/resolve-image.ts';
import { platformOfNode } from '../../src/oci/platform.ts';
import { noRegistryOptions } from '../../src/registry/request/registry-access.ts';
import { HostRoot } from '../../src/sys/host-root.ts';
import { runChecked } from '../../src/sys/process.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const PLATFORM = platformOfNode(process.arch);

describe('image sources written by skopeo', () => {
  const directory = mkdtempSync(join(tmpdir(), 'image-sources-'));
  const at = (name: string): string => join(directory, name);
  const copy = async (...args: readonly string[]): Promise<void> => {
    await runChecked('skopeo', ['--insecure-policy', 'copy', '--quiet', ...args]);
  };
  const open = async (text: string): Promise<ImageSource> =>
    await openSource(text, {
      host: new HostRoot('/'),
      env: process.env,
      version: 'test',
      log: silentLog,
      signal: new AbortController().signal,
      registry: noRegistryOptions,
      scratchDirectory: directory,
    });

  before(async () => {
    mkdirSync(at('files'));
    writeFileSync(at('files/hello'), 'hello\n'.repeat(1000));
    await runChecked('umoci', ['init', '--layout', at('layout')]);
    await runChecked('umoci', ['new', '--image', `${at('layout')}:one`]);
    await runChecked('umoci', ['insert', '--image', `${at('layout')}:one`, at('files'), '/files']);
    await runChecked('umoci', [
      'insert',
      '--image',
      `${at('layout')}:one`,
      at('files/hello'),
      '/hello',
    ]);
    await runChecked('umoci', ['tag', '--image', `${at('layout')}:one`, 'two']);
    await copy(`oci:${at('layout')}:one`, `oci-archive:${at('oci.tar')}:one`);
    await copy(`oci:${at('layout')}:one`, `docker-archive:${at('docker.tar')}:example.com/one:1`);
    await copy(`oci:${at('layout')}:one`, `dir:${at('dir')}`);
    await runChecked('sh', [
      '-c',
      `gzip -k ${at('docker.tar')} && zstd -q ${at('oci.tar')} -o ${at('oci.tar.zst')}`,
    ]);
  });
  after(() => rmSync(directory, { recursive: true }));

  const sources = [
    () => `oci:${at('layout')}:one`,
    () => `oci-archive:${at('oci.tar')}`,
    () => `oci-archive:${at('oci.tar')}:one`,
    () => `oci-archive:${at('oci.tar.zst')}`,
    () => `docker-archive:${at('docker.tar')}`,
    () => `docker-archive:${at('docker.tar')}:example.com/one:1`,
    () => `docker-archive:${at('docker.tar')}:@0`,
    () => `docker-archive:${at('docker.tar.gz')}`,
    () => `dir:${at('dir')}`,
  ];
  for (const [n, text] of sources.entries()) {
    it(`give every layer with its size and digest: ${text().replace(directory, '')} (${n})`, async () => {
      await using source = await open(text());
      const image = await resolveImage(source, PLATFORM);
      const { config } = await readImageConfig(source, image);
      assert.equal(config.diffIds.length, 2);
      for (const layer of image.manifest.layers) {
        const hash = createHash('sha256');
        let size = 0;
        for await (const chunk of source.openBlob(layer, new AbortController().signal)) {
          hash.update(chunk);
          size += chunk.length;
        }
        assert.equal(size, layer.sizeBytes);
        assert.equal(hash.digest('hex'), digestHex(layer.digest));
      }
    });
  }

  it('leave no scratch file behind', () => {
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.startsWith('archive-')),
      [],
    );
  });

  it('know the name that a docker archive gives its image', async () => {
    await using source = await open(`docker-archive:${at('docker.tar')}`);
    assert.equal(source.reference?.repository, 'one');
    assert.equal(source.policyIdentity, '');
  });

  const refused = [
    {
      name: 'an image that is not in the layout',
      text: () => `oci:${at('layout')}:three`,
      code: 'SOURCE_NOT_FOUND',
      hint: /"one", "two"/,
    },
    {
      name: 'an image that is not in the archive',
      text: () => `docker-archive:${at('docker.tar')}:example.com/x`,
      code: 'SOURCE_NOT_FOUND',
    },
    {
      name: 'a path that is not there',
      text: () => `dir:${at('nothing')}`,
      code: 'SOURCE_NOT_FOUND',
    },
    {
      name: 'a directory that is no layout',
      text: () => `oci:${at('files')}`,
      code: 'INVALID_SOURCE',
    },
    {
      name: 'a directory that is no dir:',
      text: () => `dir:${at('files')}`,
      code: 'INVALID_SOURCE',
    },
    {
      name: 'a file that is no archive',
      text: () => `oci-archive:${at('files/hello')}`,
      code: 'ARCHIVE_UNREADABLE',
    },
    {
      name: 'a docker archive as an OCI one',
      text: () => `oci-archive:${at('docker.tar')}`,
      code: 'INVALID_SOURCE',
    },
  ];
  for (const { name, text, code, hint } of refused) {
    it(`refuse ${name}`, async () => {
      await assert.rejects(
        async () => {
          await using source = await open(text());
          await resolveImage(source, PLATFORM);
        },
        (error: { code?: string; hint?: string }) => {
          assert.equal(error.code, code);
          if (hint !== undefined) assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    });
  }

  it('accept a layout with one image under two names without a choice', async () => {
    await using source = await open(`oci:${at('layout')}`);
    await resolveImage(source, PLATFORM);
  });

  it('a11: are not taken from a path that would be kept as the name of another one', async () => {
    const trusted = at('trusted');
    await runChecked('cp', ['-a', at('layout'), `${trusted}:evil`]);
    symlinkSync('trusted:evil', at('harmless'));
    await runChecked('cp', [at('oci.tar'), at('a:b.tar')]);
    symlinkSync('a:b.tar', at('ab.tar'));
    for (const text of [
      `oci:${at('harmless')}:one`,
      `oci-archive:${at('ab.tar')}:one`,
      `docker-archive:${at('ab.tar')}`,
    ])
      await assert.rejects(open(text), { code: 'SOURCE_NOT_FOUND', message: /with a colon/ }, text);
  });

  it('a54, cve-2014-9356: never follow a symbolic link out of a layout', async () => {
    await runChecked('cp', ['-a', at('dir'), at('linked')]);
    unlinkSync(at('linked/manifest.json'));
    symlinkSync('/etc/passwd', at('linked/manifest.json'));
    await assert.rejects(
      async () => {
        await using source = await open(`dir:${at('linked')}`);
        await resolveImage(source, PLATFORM);
      },
      { code: 'INVALID_SOURCE' },
    );
  });

  const escapes: readonly (readonly [name: string, make: (directory: string) => void])[] = [
    ['a config above it', (at) => archive(at, { Config: '../../../../etc/passwd' })],
    ['a config by its absolute path', (at) => archive(at, { Config: '/etc/passwd' })],
    ['a layer above it', (at) => archive(at, { Layers: ['../../../../etc/passwd'] })],
    [
      'a config that is a link out of it',
      (at) => {
        symlinkSync('/etc/passwd', join(at, 'linked.json'));
        archive(at, { Config: 'linked.json' });
      },
    ],
    [
      'a layer that is a link out of it',
      (at) => {
        symlinkSync('/etc/passwd', join(at, 'linked.tar'));
        archive(at, { Layers: ['linked.tar'] });
      },
    ],
  ];
  for (const [name, make] of escapes) {
    it(`a54: read nothing of the host for a docker archive that names ${name}`, async () => {
      using tmp = temporaryDirectory('a54');
      make(tmp.directory);
      const file = join(tmp.directory, 'image.tar');
      const all = readdirSync(tmp.directory);
      await runChecked('tar', ['-C', tmp.directory, '-cf', file, ...all]);
      await assert.rejects(
        async () => {
          await using source = await open(`docker-archive:${file}`);
          const { manifest } = await resolveImage(source, PLATFORM);
          await source.readBlob(manifest.config);
        },
        (error: Error & { code?: string }) => {
          assert.match(error.code ?? '', /^[A-Z_]+$/);
          assert.doesNotMatch(error.message, /root:/);
          return true;
        },
      );
    });
  }

  it('a54: have no blob whose digest is a path', async () => {
    await runChecked('cp', ['-a', at('layout'), at('escaping')]);
    for (const digest of [
      'sha256:../../../../etc/passwd',
      '../../etc/passwd',
      `sha512:${'0'.repeat(128)}`,
    ]) {
      const index = {
        schemaVersion: 2,
        manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 100 }],
      };
      writeFileSync(at('escaping/index.json'), JSON.stringify(index));
      await assert.rejects(
        async () => {
          await using source = await open(`oci:${at('escaping')}`);
          await resolveImage(source, PLATFORM);
        },
        (error: Error) => error.message.includes('is not sha256:<64 hex digits>'),
      );
    }
  });

  it('notice a truncated archive', async () => {
    await runChecked('sh', ['-c', `head -c 3000 ${at('docker.tar')} > ${at('short.tar')}`]);
    await assert.rejects(
      async () => {
        await using source = await open(`docker-archive:${at('short.tar')}`);
        await resolveImage(source, PLATFORM);
      },
      { code: 'ARCHIVE_UNREADABLE', message: /ends inside a member/ },
    );
  });
});

/** A docker archive's files, its manifest.json with these members. */
function archive(directory: string, parts: object): void {
  const config = {
    os: 'linux',
    architecture: PLATFORM.architecture,
    rootfs: { type: 'layers', diff_ids: [] },
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  const image = { Config: 'config.json', RepoTags: ['example.com/x:1'], Layers: [], ...parts };
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify([image]));
}
