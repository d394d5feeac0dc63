// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { pushLayout } from '../support/image/small-image.ts';
import { type SyntheticLayer, syntheticLayout } from '../support/image/synthetic-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { type Cost, costOf } from './cost.ts';

/** A registry on loopback that keeps synthetic images in memory, so that its disk does not colour timings. */
export interface BenchRegistry extends AsyncDisposable {
  readonly registry: Registry;
  /** Makes an image, puts it into the registry, and returns its OCI layout. */
  push(image: string, layers: readonly SyntheticLayer[]): Promise<string>;
  /** `sysct pull` of it, as shipped, on the host at `root`. What it says it has pulled is durable. */
  sysctPull(root: string, image: string): Promise<Cost>;
}

/** @param storageParent where its content goes; default memory. */
export async function openBenchRegistry(storageParent = '/dev/shm'): Promise<BenchRegistry> {
  const storage = temporaryDirectory('bench-registry', storageParent);
  const registry = await startRegistry({ storageDir: storage.directory });
  return {
    registry,
    push: async (image, layers) => {
      const layout = await syntheticLayout(layers);
      await pushLayout(layout, 'latest', registry, image);
      return layout;
    },
    sysctPull: async (root, image) => {
      prepareHost(root, registry);
      const reference = `${registry.host}/${image}`;
      return await costOf('dist/sysct', ['pull', '--quiet', '--root', root, reference]);
    },
    [Symbol.asyncDispose]: async () => {
      await registry.stop();
      storage[Symbol.dispose]();
    },
  };
}

/** The path of a policy that admits everything. */
export function acceptingPolicy(root: string): string {
  const path = join(root, 'etc/containers/policy.json');
  mkdirSync(join(root, 'etc/containers'), { recursive: true });
  writeFileSync(path, '{"default":[{"type":"insecureAcceptAnything"}]}');
  return path;
}

function prepareHost(root: string, registry: Registry): void {
  acceptingPolicy(root);
  const certs = join(root, 'etc/containers/certs.d', registry.host);
  mkdirSync(certs, { recursive: true });
  copyFileSync(registry.caFile, join(certs, 'ca.crt'));
}
