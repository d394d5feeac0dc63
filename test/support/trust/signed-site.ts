// SPDX-License-Identifier: Apache-2.0
// What a company has: a registry with TLS and logins, a lookaside server with signatures, a key, and
// hosts whose policy asks for that key.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createGpgHome, type GpgHome, type GpgKey } from './gpg.ts';
import { type Registry, startRegistry } from '../registry/registry.ts';
import { writePolicy } from './site-policy.ts';

export interface SignedSite extends AsyncDisposable {
  readonly registry: Registry;
  readonly key: GpgKey;
  /** Signs what `REPOSITORY:TAG` of the registry is now; for another name or with another key, if given. */
  sign(
    image: string,
    dockerReference?: string,
    by?: { readonly home: GpgHome; readonly key: GpgKey },
  ): Promise<void>;
  /**
   * Writes policy, key, registries.d, certs.d and login into a host's root. The policy rejects by
   * default; below `HOST/signed` of the registry it asks for the key, below `HOST/open` and for
   * layouts and archives below /srv it takes everything.
   */
  configure(root: string): void;
}

/** Starts the servers; `await using` ends them. */
export async function startSignedSite(): Promise<SignedSite> {
  const registry = await startRegistry({ auth: { user: 'host', password: 'correct horse' } });
  const gpg = await createGpgHome();
  const key = await gpg.createKey();
  const publicKey = await gpg.exportPublicKey(key);
  const lookaside = await startLookaside();
  return {
    registry,
    key,
    sign: async (image, dockerReference, by = { home: gpg, key }) => {
      await by.home.signImage({
        registry,
        image,
        key: by.key,
        lookasideDir: lookaside.directory,
        ...(dockerReference === undefined ? {} : { dockerReference }),
      });
    },
    configure: (root) => {
      const etc = join(root, 'etc/containers');
      write(join(etc, 'keys/site.gpg'), publicKey);
      writePolicy(root, ['/srv'], registry.host);
      write(
        join(etc, 'registries.d/site.yaml'),
        `docker:\n  ${registry.host}:\n    lookaside: ${lookaside.url}\n`,
      );
      write(join(etc, 'certs.d', registry.host, 'ca.crt'), readFileSync(registry.caFile));
      write(join(root, 'etc/sysct/auth.json'), readFileSync(registry.authFile), 0o600);
    },
    [Symbol.asyncDispose]: async () => {
      await lookaside.stop();
      await gpg[Symbol.asyncDispose]();
      await registry.stop();
    },
  };
}

function write(path: string, content: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}

interface Lookaside {
  readonly directory: string;
  readonly url: string;
  stop(): Promise<void>;
}

async function startLookaside(): Promise<Lookaside> {
  const directory = mkdtempSync(join(tmpdir(), 'sysct-lookaside-'));
  const server = createServer((request, response) => {
    const path = join(directory, decodeURIComponent(request.url ?? '/'));
    if (existsSync(path)) response.end(readFileSync(path));
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    directory,
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
