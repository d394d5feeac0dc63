// SPDX-License-Identifier: Apache-2.0
// The token server of the distribution spec's bearer authentication, for the real registry to trust.
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Certificates } from './certificates.ts';

export interface TokenServerOptions {
  readonly user: string;
  readonly password: string;
  readonly anonymousPull?: boolean;
  /** The key that signs the tokens; the registry trusts its authority. */
  readonly certificates: Certificates;
  /** Serve HTTPS with the same certificate, as a registry with HTTPS needs it. */
  readonly tls: boolean;
}

export interface TokenServer {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  stop(): Promise<void>;
}

const SERVICE = 'sysct test registry';
const ISSUER = 'sysct test tokens';
const LIFETIME_SECONDS = 300;

/** Serves `GET /token` on a free port of loopback. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, options);
  };
  const { certFile, keyFile } = options.certificates;
  const server = options.tls
    ? createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, listener)
    : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    realm: `${options.tls ? 'https' : 'http'}://127.0.0.1:${address.port}/token`,
    service: SERVICE,
    issuer: ISSUER,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: TokenServerOptions,
): void {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const expected = Buffer.from(`${options.user}:${options.password}`).toString('base64');
  const known = request.headers.authorization === `Basic ${expected}`;
  if (url.pathname !== '/token' || (request.headers.authorization !== undefined && !known)) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="sysct test"' }).end();
    return;
  }
  const access = url.searchParams
    .getAll('scope')
    .flatMap((scope) => scope.split(' '))
    .map((scope) => /^(?<type>[a-z]+):(?<name>.+):(?<actions>[a-z*,]+)$/.exec(scope)?.groups)
    .filter((groups) => groups !== undefined)
    .map((groups) => ({
      type: groups['type'],
      name: groups['name'],
      actions: (groups['actions'] ?? '')
        .split(',')
        .filter((action) => known || (options.anonymousPull === true && action === 'pull')),
    }));
  const token = createToken(access, known ? options.user : '', options.certificates);
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ token, expires_in: LIFETIME_SECONDS }));
}

function createToken(access: readonly object[], subject: string, files: Certificates): string {
  const certificate = new X509Certificate(readFileSync(files.certFile));
  const nowSeconds = Math.floor(Date.now() / 1000);
  const encode = (value: object): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = encode({ typ: 'JWT', alg: 'ES256', x5c: [certificate.raw.toString('base64')] });
  const body = encode({
    iss: ISSUER,
    sub: subject,
    aud: SERVICE,
    iat: nowSeconds,
    nbf: nowSeconds - 10,
    exp: nowSeconds + LIFETIME_SECONDS,
    jti: randomUUID(),
    access,
  });
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), {
    key: createPrivateKey(readFileSync(files.keyFile)),
    dsaEncoding: 'ieee-p1363',
  });
  return `${head}.${body}.${signature.toString('base64url')}`;
}
