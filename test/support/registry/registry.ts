// SPDX-License-Identifier: Apache-2.0
// Debian's docker-registry on a free port of loopback: a real one, so that what we say to it counts.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runChecked } from '../../../src/sys/process.ts';
import { createCertificates, type Certificates } from './certificates.ts';
import { startTokenServer, type TokenServer } from './token-server.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface RegistryOptions {
  /** Serve HTTPS with a certificate of an own authority; the default. */
  readonly tls?: boolean;
  /** Ask for these by HTTP basic authentication. */
  readonly auth?: Credentials;
  /**
   * Ask for a bearer token instead, from a token server that this starts too. Tokens for pulling are
   * given to everybody when `anonymousPull` is set, else only to the bearer of the credentials.
   */
  readonly token?: Credentials & { readonly anonymousPull?: boolean };
  /** Keep the content here, for example to start a second registry on it; else it goes with the registry. */
  readonly storageDir?: string;
}

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: the registry part of references. */
  readonly host: string;
  /** `https://127.0.0.1:PORT` or `http://…`. */
  readonly url: string;
  /** The authority to trust, PEM. Exists without TLS too, and then helps nobody. */
  readonly caFile: string;
  /** A certs.d tree that holds `HOST/ca.crt`: the value for skopeo's `--cert-dir` is `join(certsDir, host)`. */
  readonly certsDir: string;
  /** The credentials asked for, if any. */
  readonly credentials: Credentials | undefined;
  /** Where the registry keeps its content; damage it to see what clients make of that. */
  readonly storageDir: string;
  /** An auth.json for {@link Registry.host} with the credentials; `{}` when none are asked for. */
  readonly authFile: string;
  /** skopeo's flags for this registry as source (`src`), destination (`dest`) or only image (``). */
  skopeoFlags(side: 'src' | 'dest' | ''): readonly string[];
  /** An access line for each request that was answered so far: it writes them a moment after the answer. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a registry and waits until it listens. Call `stop` (or use `await using`). */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOn(await freePort(), options);
    } catch (error) {
      // Between being found free and being listened on, a port may be taken by somebody else.
      if (tries === 5 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function startOn(port: number, options: RegistryOptions): Promise<Registry> {
  const directory = mkdtempSync(join(tmpdir(), 'sysct-registry-'));
  const host = `127.0.0.1:${port}`;
  const tls = options.tls ?? true;
  const url = `${tls ? 'https' : 'http'}://${host}`;
  const storageDir = options.storageDir ?? join(directory, 'storage');
  const certificates = await createCertificates(join(directory, 'tls'));
  const certsDir = join(directory, 'certs.d');
  mkdirSync(join(certsDir, host), { recursive: true });
  writeFileSync(join(certsDir, host, 'ca.crt'), readFileSync(certificates.caFile));
  const credentials = options.auth ?? options.token;
  const authFile = join(directory, 'auth.json');
  writeFileSync(authFile, JSON.stringify(authJson(host, credentials)), { mode: 0o600 });
  const tokenServer =
    options.token === undefined
      ? undefined
      : await startTokenServer({ ...options.token, certificates, tls });
  const configFile = join(directory, 'config.json');
  // The registry reads YAML, of which JSON is a part.
  writeFileSync(
    configFile,
    JSON.stringify({
      version: '0.1',
      log: { accesslog: { disabled: false } },
      storage: { filesystem: { rootdirectory: storageDir }, delete: { enabled: true } },
      http: {
        addr: host,
        ...(tls ? { tls: { certificate: certificates.certFile, key: certificates.keyFile } } : {}),
      },
      ...(await authSection(directory, options, tokenServer, certificates)),
    }),
  );
  const child = spawn('docker-registry', ['serve', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { requests: '', rest: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.requests += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (said.rest += chunk.toString('utf8')));
  // A test that fails must not be held open by its registry.
  child.unref();
  for (const stream of [child.stdout, child.stderr])
    (stream as unknown as { unref(): void }).unref();

  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= stopChild(child)
      .then(() => tokenServer?.stop())
      .finally(() => {
        process.off('exit', killChild);
        rmSync(directory, { recursive: true, force: true });
      });
    return stopped;
  };
  const killChild = (): void => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', killChild);
  try {
    await untilListening(child, () => said.rest);
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    host,
    url,
    caFile: certificates.caFile,
    certsDir,
    credentials,
    storageDir,
    authFile,
    skopeoFlags: (side) => {
      const prefix = side === '' ? '' : `${side}-`;
      return [
        ...(tls
          ? [`--${prefix}cert-dir=${join(certsDir, host)}`]
          : [`--${prefix}tls-verify=false`]),
        ...(credentials === undefined
          ? []
          : [`--${prefix}creds=${credentials.user}:${credentials.password}`]),
      ];
    },
    log: async () => {
      // When the line of a request that came later is there, those of all before it are.
      await untilLogged(url, () => said.requests);
      await untilLogged(url, () => said.requests);
      return said.requests.replaceAll(OUR_LINES, '');
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const OUR_LINES = /^.*\?is-logged=.*\n/gm;

async function untilLogged(url: string, log: () => string): Promise<void> {
  const mark = `is-logged=${randomUUID()}`;
  await new Promise<void>((resolve, reject) => {
    const ask = url.startsWith('https:') ? getSecurely : get;
    const flags = { agent: false, rejectUnauthorized: false };
    ask(`${url}/v2/?${mark}`, flags, (response) => {
      response.resume().once('end', resolve);
    }).once('error', reject);
  });
  const line = new RegExp(`${mark} .*\\n`);
  while (!line.test(log())) await delay(5);
}

async function authSection(
  directory: string,
  { auth }: RegistryOptions,
  tokenServer: TokenServer | undefined,
  { caFile }: Certificates,
): Promise<object> {
  if (auth !== undefined) {
    const file = join(directory, 'htpasswd');
    await runChecked('htpasswd', ['-Bbc', file, auth.user, auth.password]);
    return { auth: { htpasswd: { realm: 'sysct test', path: file } } };
  }
  if (tokenServer !== undefined) {
    const { realm, service, issuer } = tokenServer;
    return { auth: { token: { realm, service, issuer, rootcertbundle: caFile } } };
  }
  return {};
}

function authJson(host: string, credentials: Credentials | undefined): object {
  if (credentials === undefined) return {};
  const auth = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
  return { auths: { [host]: { auth } } };
}

/** A port of loopback that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilListening(child: ChildProcess, said: () => string): Promise<void> {
  const deadline = Date.now() + 120_000;
  // That the port answers says nothing: somebody else may have taken it.
  while (!/listening on /.test(said())) {
    if (child.exitCode !== null || child.signalCode !== null) {
      // Its last words may still be in the pipe.
      await delay(200);
      throw new Error(`docker-registry ended with ${child.exitCode}: ${said()}`);
    }
    if (Date.now() > deadline) throw new Error(`docker-registry does not listen: ${said()}`);
    await delay(20);
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.ref();
  child.kill('SIGKILL');
  await ended;
}
