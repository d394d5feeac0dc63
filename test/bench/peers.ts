// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../src/oci/manifest.ts';
import { digestHex } from '../../src/base/digest.ts';
import type { Registry } from '../support/registry/registry.ts';
import { acceptingPolicy } from './bench-registry.ts';
import { type Cost, costOf, costOfScript } from './cost.ts';

/** `podman pull` (overlay) of an image into `root`. It does not make durable what it has pulled. */
export async function podmanPull(root: string, registry: Registry, image: string): Promise<Cost> {
  return await costOf('podman', [
    ...['--root', join(root, 'storage'), '--runroot', join(root, 'run')],
    ...['--storage-driver=overlay', 'pull', '--quiet'],
    ...['--signature-policy', acceptingPolicy(root)],
    ...['--cert-dir', join(registry.certsDir, registry.host), `${registry.host}/${image}`],
  ]);
}

/** `skopeo copy` of an image into an OCI layout, and `umoci unpack` of that. Not durable either. */
export async function umociUnpack(root: string, registry: Registry, image: string): Promise<Cost> {
  const layout = join(root, 'layout');
  const certs = join(registry.certsDir, registry.host);
  const source = `docker://${registry.host}/${image}`;
  return await costOfScript(
    `skopeo --insecure-policy copy --quiet --src-cert-dir ${certs} ${source} oci:${layout}:image
     umoci unpack --image ${layout}:image ${join(root, 'bundle')} 2>/dev/null`,
  );
}

/** `tar -xzf` of the layers of an OCI layout, and `sync -f`: no network, no digests, no store. */
export async function tarExtract(root: string, layout: string): Promise<Cost> {
  const layers = layerFiles(layout).map((file) => `tar -C ${root}/files -xzf ${file}`);
  return await costOfScript([`mkdir ${root}/files`, ...layers, `sync -f ${root}/files`].join('\n'));
}

export function layerFiles(layout: string): readonly string[] {
  const index = parseManifest(readFileSync(join(layout, 'index.json')), undefined, 'index');
  const first = index.kind === 'index' ? index.manifests[0] : undefined;
  if (first === undefined) throw new Error(`${layout} has no image`);
  const blob = (hex: string): string => join(layout, 'blobs/sha256', hex);
  const bytes = readFileSync(blob(digestHex(first.digest)));
  const manifest = parseManifest(bytes, undefined, 'manifest');
  if (manifest.kind !== 'manifest') throw new Error(`${layout} has no manifest`);
  return manifest.layers.map(({ digest }) => blob(digestHex(digest)));
}
