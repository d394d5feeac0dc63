// SPDX-License-Identifier: Apache-2.0
// Signatures in OCI layouts, where tools that fill one from a registry put them.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Digest, digestHex, sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { openSource } from '../../src/image/source/open-source.ts';
import { resolveImage } from '../../src/image/source/resolve-image.ts';
import { judgeImage } from '../../src/image/gate/trust-gate.ts';
import { platformOfNode } from '../../src/oci/platform.ts';
import { noRegistryOptions } from '../../src/registry/request/registry-access.ts';
import { HostRoot } from '../../src/sys/host-root.ts';
import { parsePolicy } from '../../src/trust/policy/policy.ts';
import { parseTrustD } from '../../src/trust/policy/trust-d.ts';
import { makeKey, signBytes } from '../support/trust/der-certificate.ts';
import { BUNDLE_TYPE, keyedBundle, statement } from '../support/trust/sigstore-bundles.ts';
import { cosignPayload } from '../support/trust/sigstore-signatures.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const tmp = temporaryDirectory('layout-signatures');
after(() => tmp[Symbol.dispose]());

const NAME = 'registry.example/org/app';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const REF = 'org.opencontainers.image.ref.name';
const key = makeKey();
const stranger = makeKey();

interface Blob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

type Entry = Blob & { readonly artifactType?: string; readonly annotations?: object };

/** An OCI layout that is being written. */
class Layout {
  readonly directory: string;
  readonly image: Blob;
  readonly #entries: Entry[] = [];

  constructor() {
    this.directory = join(tmp.directory, Math.random().toString(36).slice(2));
    mkdirSync(join(this.directory, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(this.directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const rootfs = { type: 'layers', diff_ids: [] };
    const config = this.json('application/vnd.oci.image.config.v1+json', {
      ...{ architecture: 'amd64', os: 'linux', config: {}, rootfs },
    });
    this.image = this.manifest({ config, layers: [] });
  }

  put(mediaType: string, bytes: Buffer): Blob {
    const digest = sha256(bytes);
    writeFileSync(join(this.directory, 'blobs/sha256', digestHex(digest)), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  json(mediaType: string, value: object): Blob {
    return this.put(mediaType, Buffer.from(JSON.stringify(value)));
  }

  manifest(value: object): Blob {
    return this.json(MANIFEST_TYPE, { schemaVersion: 2, mediaType: MANIFEST_TYPE, ...value });
  }

  index(...manifests: readonly Entry[]): Blob {
    return this.json(INDEX_TYPE, { schemaVersion: 2, mediaType: INDEX_TYPE, manifests });
  }

  /** What cosign 2 makes of a signature. */
  signatures(by = key): Blob {
    const payload = cosignPayload(NAME, this.image.digest);
    const layer = {
      ...this.put('application/vnd.dev.cosign.simplesigning.v1+json', payload),
      annotations: {
        'dev.cosignproject.cosign/signature': signBytes(by, payload).toString('base64'),
      },
    };
    const config = this.json('application/vnd.oci.image.config.v1+json', {});
    return this.manifest({ config, layers: [layer] });
  }

  /** What cosign 3 makes of one. */
  bundle(subject: Digest = this.image.digest): Blob {
    const layer = this.put(BUNDLE_TYPE, keyedBundle(key, statement(this.image.digest)));
    const config = this.json('application/vnd.oci.empty.v1+json', {});
    return this.manifest({
      ...{ artifactType: BUNDLE_TYPE, config, layers: [layer] },
      subject: { mediaType: MANIFEST_TYPE, digest: subject, size: this.image.size },
    });
  }

  add(entry: Blob, more: Partial<Entry> = {}): void {
    this.#entries.push({ ...entry, ...more });
  }

  write(): string {
    const index = { schemaVersion: 2, manifests: this.#entries };
    writeFileSync(join(this.directory, 'index.json'), JSON.stringify(index));
    return this.directory;
  }
}

const tag = (layout: Layout, suffix = ''): Partial<Entry> => ({
  annotations: { [REF]: `sha256-${digestHex(layout.image.digest)}${suffix}` },
});
const kind = (name: string): Partial<Entry> => ({
  annotations: { kind: `dev.cosignproject.cosign/${name}` },
});

async function judge(directory: string): Promise<string> {
  const keyData = Buffer.from(key.pem).toString('base64');
  const requirement = {
    ...{ type: 'sigstoreSigned', keyData },
    signedIdentity: { type: 'matchDigest' },
  };
  const text = JSON.stringify({
    version: 1,
    transports: { oci: { [tmp.directory]: { admit: [requirement] } } },
  });
  const { signal } = new AbortController();
  await using source = await openSource(`oci:${directory}`, {
    ...{ host: new HostRoot('/'), env: {}, version: 'test', log: silentLog, signal },
    ...{ registry: noRegistryOptions, scratchDirectory: tmp.directory },
  });
  const { verdict } = await judgeImage(
    {
      loaded: {
        policy: {
          ...parsePolicy('{"default":[{"type":"reject"}]}', 'policy.json'),
          trustD: parseTrustD('/trust.d', [{ path: 'a.json', text }]),
        },
        readKeyFile: async () => assert.fail('no key file is named'),
      },
      ...{ purpose: 'pull', allowUnsigned: false, now: () => new Date(), signal },
    },
    source,
    await resolveImage(source, platformOfNode('x64')),
  );
  return verdict.allowed ? 'allowed' : verdict.reasons.join('\n');
}

describe('signatures in an OCI layout', () => {
  const cases: readonly {
    readonly name: string;
    readonly fill: (layout: Layout) => void;
    readonly expected: RegExp;
  }[] = [
    {
      name: 'count under the tag that a registry has them under',
      fill: (layout) => {
        layout.add(layout.image, { annotations: { [REF]: 'v1' } });
        layout.add(layout.signatures(), tag(layout, '.sig'));
      },
      expected: /^allowed$/,
    },
    {
      name: 'count as cosign save calls them',
      fill: (layout) => {
        layout.add(layout.image, kind('image'));
        layout.add(layout.signatures(), kind('sigs'));
      },
      expected: /^allowed$/,
    },
    {
      name: 'count as bundles in the list under the fallback tag',
      fill: (layout) => {
        const list = layout.index({
          ...layout.bundle(),
          artifactType: 'application/vnd.oci.empty.v1+json',
        });
        layout.add(layout.image);
        layout.add(list, tag(layout));
      },
      expected: /^allowed$/,
    },
    {
      name: 'count as entries of their own that refer to the image',
      fill: (layout) => {
        layout.add(layout.image);
        layout.add(layout.bundle(), { artifactType: BUNDLE_TYPE });
      },
      expected: /^allowed$/,
    },
    {
      name: 'count as cosign 3 saves them: blobs that nothing lists',
      fill: (layout) => {
        layout.add(layout.image, kind('image'));
        layout.bundle();
      },
      expected: /^allowed$/,
    },
    {
      name: 'do not count by another key',
      fill: (layout) => {
        layout.add(layout.image);
        layout.add(layout.signatures(stranger), tag(layout, '.sig'));
      },
      expected: /was made by none of the accepted keys/,
    },
    {
      name: 'do not count as bundles that refer to another image',
      fill: (layout) => {
        layout.add(layout.image);
        layout.add(layout.bundle(sha256(Buffer.from('other'))), { artifactType: BUNDLE_TYPE });
      },
      expected: /has none.*0 bundles, and 1 of another kind/s,
    },
    {
      name: 'are missed where there are none, and the places are named',
      fill: (layout) => layout.add(layout.image),
      expected: /has none.*sha256-[0-9a-f]{64}[.]sig: no such entry/s,
    },
  ];
  for (const { name, fill, expected } of cases)
    it(name, async () => {
      const layout = new Layout();
      fill(layout);
      assert.match(await judge(layout.write()), expected);
    });

  it('refuse the image when they cannot be read', async () => {
    const layout = new Layout();
    layout.add(layout.image);
    const lost = { ...layout.signatures(), digest: sha256(Buffer.from('lost')) };
    layout.add(lost, tag(layout, '.sig'));
    assert.match(
      await judge(layout.write()),
      /^looking for signatures failed: .* there is no such regular file$/,
    );
  });

  it('a36: more of them than are ever read refuse the image, and none is read', async () => {
    const layout = new Layout();
    layout.add(layout.image);
    const other = (n: number) => sha256(Buffer.from(String(n)));
    for (let n = 0; n < 200; n += 1)
      layout.add({ ...layout.image, digest: other(n) }, { artifactType: BUNDLE_TYPE });
    assert.match(await judge(layout.write()), /200 bundles, more than 128/);
  });
});
