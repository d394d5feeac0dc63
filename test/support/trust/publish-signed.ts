// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, sha256 } from '../../../src/base/digest.ts';
import { runChecked } from '../../../src/sys/process.ts';
import { writeBusyboxImage } from '../image/busybox-image.ts';
import { type SigningKey, signManifest } from './evaluate-signed.ts';
import type { Registry } from '../registry/registry.ts';
import { pushLayout } from '../image/small-image.ts';
import { temporaryDirectory } from '../tmp.ts';

export interface Publication {
  readonly registry: Registry;
  /** `REPOSITORY:TAG` below the registry. */
  readonly image: string;
  /** What the image runs: another script, another image. */
  readonly script: string;
  /** The root of the host that reads its signatures from where it keeps its own. */
  readonly root: string;
  /** Undefined for an image that nobody signed. */
  readonly signed: { readonly by: SigningKey; readonly at: Date } | undefined;
}

/** What a tag stands for from now on, signed at a time. */
export async function publishSigned(publication: Publication): Promise<void> {
  const { registry, image, script, root, signed } = publication;
  using tmp = temporaryDirectory('publish');
  await writeBusyboxImage(tmp.directory, '1', { script });
  await pushLayout(tmp.directory, '1', registry, image);
  if (signed === undefined) return;
  const name = `${registry.host}/${image}`;
  const { stdout } = await runChecked('skopeo', [
    ...['inspect', '--raw', ...registry.skopeoFlags(''), `docker://${name}`],
  ]);
  const digest = sha256(stdout);
  const repository = image.replace(/:[^:]*$/, '');
  const directory = join(
    root,
    `var/lib/containers/sigstore/${repository}@sha256=${digestHex(digest)}`,
  );
  mkdirSync(directory, { recursive: true });
  const { by, at } = signed;
  writeFileSync(join(directory, 'signature-1'), await signManifest(by, { digest, at, name }));
}
