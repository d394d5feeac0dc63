// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../src/base/log.ts';
import { silentLog } from '../../../src/base/log.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import {
  loadRegistryAccess,
  noRegistryOptions,
  type RegistryAccess,
  type RegistryOptions,
} from '../../../src/registry/request/registry-access.ts';
import { RegistryClient } from '../../../src/registry/registry-client.ts';
import { DEFAULT_TIMING, type RegistryTiming } from '../../../src/registry/http/timing.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../tmp.ts';

/** Tries again at once; how long it waits for a server is what hosts wait, for test machines can be slow. */
export const QUICK: RegistryTiming = {
  ...DEFAULT_TIMING,
  retries: 3,
  backoffMs: 10,
  longestWaitMs: 50,
};

/** For servers of which a test knows that nothing comes. */
export const IMPATIENT: Partial<RegistryTiming> = {
  headersMs: 1000,
  stallMs: 1000,
  documentMs: 3000,
};

export interface ClientSetup extends Partial<RegistryOptions> {
  /** Content of registries.conf. */
  readonly registriesConf?: string;
  readonly timing?: Partial<RegistryTiming>;
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: Log;
}

export interface OpenedClient extends AsyncDisposable {
  readonly client: RegistryClient;
  readonly access: RegistryAccess;
}

/** A client for `reference` on a host whose root holds nothing but what `setup` says. */
export function openClient(reference: string, setup: ClientSetup = {}): OpenedClient {
  const tmp = temporaryDirectory('registry-host');
  const { registriesConf, timing, env, log, ...options } = setup;
  if (registriesConf !== undefined) {
    mkdirSync(join(tmp.directory, 'etc/containers'), { recursive: true });
    writeFileSync(join(tmp.directory, 'etc/containers/registries.conf'), registriesConf);
  }
  const access = loadRegistryAccess(
    {
      root: new HostRoot(tmp.directory),
      env: env ?? {},
      uid: 0,
      version: '0.0.0-test',
      log: log ?? silentLog,
      timing: { ...QUICK, ...timing },
    },
    { ...noRegistryOptions, ...options },
  );
  return {
    client: new RegistryClient(parseReference(reference), access),
    access,
    [Symbol.asyncDispose]: async () => {
      await access[Symbol.asyncDispose]();
      tmp[Symbol.dispose]();
    },
  };
}

/** All bytes of a blob, in one. */
export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
