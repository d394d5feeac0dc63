// SPDX-License-Identifier: Apache-2.0
// How connections are made: the bounded GET for lookasides, proxies, client certificates, what requests say of us.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer as createSocketServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TLSSocket } from 'node:tls';
import { RegistryError } from '../../src/registry/http/registry-error.ts';
import { createCertificates } from '../support/registry/certificates.ts';
import { openClient, type OpenedClient } from '../support/registry/open-client.ts';
import {
  MANIFEST_BYTES,
  MANIFEST_DIGEST,
  REPOSITORY,
  startScriptedRegistry,
} from '../support/registry/scripted-registry.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const { signal } = new AbortController();
const LIMITS = { signal, maxBytes: 1000, timeoutMs: 60_000 };

describe('the bounded GET', () => {
  it('gives status and body, whatever the status, and sends no login', async () => {
    await using server = await startScriptedRegistry((_, response) => {
      response.writeHead(403).end('no');
      return true;
    });
    await using opened = openClient('r.example/x', { creds: 'user:secret' });
    const { status, body } = await opened.access.httpGet(`${server.url}/a?b=c`, LIMITS);
    assert.deepEqual([status, body.toString('utf8')], [403, 'no']);
    assert.equal(server.requests[0]?.path, '/a?b=c');
    assert.equal(server.requests[0].headers.authorization, undefined);
    assert.equal(server.requests[0].headers['user-agent'], 'sysct/0.0.0-test');
  });

  it('follows redirects', async () => {
    await using server = await startScriptedRegistry((request, response) => {
      if (request.path === '/there') response.end('found');
      else response.writeHead(302, { location: '/there' }).end();
      return true;
    });
    await using opened = openClient('r.example/x');
    assert.equal((await opened.access.httpGet(server.url, LIMITS)).body.toString('utf8'), 'found');
  });

  it('refuses more than the caller has room for', async () => {
    await using server = await startScriptedRegistry((_, response) => {
      response.end('x'.repeat(1001));
      return true;
    });
    await using opened = openClient('r.example/x');
    await assert.rejects(opened.access.httpGet(server.url, LIMITS), { code: 'TOO_LARGE' });
  });

  it('ends when its time is over, or its caller gives up', async () => {
    await using server = await startScriptedRegistry(() => true);
    await using opened = openClient('r.example/x', { timing: { headersMs: 30_000 } });
    await assert.rejects(opened.access.httpGet(server.url, { ...LIMITS, timeoutMs: 200 }), {
      code: 'TIMEOUT',
    });
    const gone = AbortSignal.timeout(100);
    await assert.rejects(
      opened.access.httpGet(server.url, { ...LIMITS, signal: gone }),
      (error) => error === gone.reason,
    );
  });

  it('refuses what is no http URL, and says where nobody listens', async () => {
    await using opened = openClient('r.example/x');
    await assert.rejects(opened.access.httpGet('file:///etc/shadow', LIMITS), { code: 'CONFIG' });
    await assert.rejects(opened.access.httpGet('http://127.0.0.1:1/', LIMITS), {
      code: 'UNREACHABLE',
    });
  });
});

/** An HTTP proxy that tunnels, or refuses to, and answers plain requests itself. */
async function startProxy(
  tunnels: boolean,
): Promise<AsyncDisposable & { readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('by proxy');
  });
  proxy.on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (!tunnels) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  return { ...(await listenOnLoopback(proxy, 'http')), asked };
}

async function listenOnLoopback(
  server: Server,
  scheme: 'http' | 'https',
): Promise<AsyncDisposable & { readonly url: string; readonly host: string }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const host = `127.0.0.1:${address.port}`;
  return {
    host,
    url: `${scheme}://${host}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await Promise.resolve();
    },
  };
}

/** Accepts connections and says nothing. */
async function startSilentServer(): Promise<
  AsyncDisposable & { readonly host: string; readonly connected: Promise<unknown> }
> {
  const sockets: Socket[] = [];
  const server = createSocketServer((socket) => {
    sockets.push(socket.on('error', () => {}));
  });
  const connected = once(server, 'connection');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    host: `127.0.0.1:${address.port}`,
    connected,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('proxies', () => {
  it('are used as the variables say, and one connection serves several requests', async () => {
    await using proxy = await startProxy(true);
    using tmp = temporaryDirectory('proxy');
    const tls = await createCertificates(join(tmp.directory, 'tls'));
    await using server = await startScriptedRegistry(undefined, tls);
    const certDir = join(tmp.directory, 'certs');
    mkdirSync(certDir);
    writeFileSync(join(certDir, 'ca.crt'), readFileSync(tls.caFile));
    const name = `${server.host}/${REPOSITORY}:1`;

    await using proxied = openClient(name, { certDir, env: { HTTPS_PROXY: proxy.url } });
    assert.equal((await proxied.client.readManifest(undefined, signal)).digest, MANIFEST_DIGEST);
    assert.deepEqual(proxy.asked, [`CONNECT ${server.host}`]);

    await using plain = openClient(name, { env: { http_proxy: proxy.url } });
    const answer = await plain.access.httpGet('http://lookaside.example/x', LIMITS);
    assert.equal(answer.body.toString('utf8'), 'by proxy');
    assert.equal(proxy.asked.at(-1), 'GET http://lookaside.example/x');

    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1' };
    await using direct = openClient(name, { certDir, env });
    await direct.client.readManifest(undefined, signal);
    assert.equal(proxy.asked.length, 2);
  });

  it('that refuse are named in the message', async () => {
    await using proxy = await startProxy(false);
    await using opened = openClient('r.example/x', { env: { HTTPS_PROXY: proxy.url } });
    await assert.rejects(opened.client.readManifest(undefined, signal), {
      code: 'UNREACHABLE',
      message: /the proxy refused: .*407/,
      hint: /HTTPS_PROXY/,
    });
  });
});

describe('client certificates', () => {
  it('are shown to the registry that asks for one', async () => {
    using tmp = temporaryDirectory('client-certificate');
    const tls = await createCertificates(join(tmp.directory, 'tls'));
    const shown: string[] = [];
    const server = createTlsServer(
      {
        cert: readFileSync(tls.certFile),
        key: readFileSync(tls.keyFile),
        ca: readFileSync(tls.caFile),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        assert.ok(request.socket instanceof TLSSocket);
        shown.push([request.socket.getPeerCertificate().subject.CN].join());
        response.end(MANIFEST_BYTES);
      },
    );
    await using listening = await listenOnLoopback(server, 'https');
    const certDir = join(tmp.directory, 'certs');
    mkdirSync(certDir);
    writeFileSync(join(certDir, 'ca.crt'), readFileSync(tls.caFile));
    const name = `${listening.host}/${REPOSITORY}:1`;
    await using without = openClient(name, { certDir });
    await assert.rejects(without.client.readManifest(undefined, signal), {
      code: /TLS|UNREACHABLE/,
    });
    writeFileSync(join(certDir, 'me.cert'), readFileSync(tls.certFile));
    writeFileSync(join(certDir, 'me.key'), readFileSync(tls.keyFile));
    await using opened = openClient(name, { certDir });
    assert.equal((await opened.client.readManifest(undefined, signal)).digest, MANIFEST_DIGEST);
    assert.ok(shown.includes('127.0.0.1'));
  });
});

describe('a registry that may be without TLS', () => {
  const given = new RegistryError('UNREACHABLE', 'another layer failed');
  const cases: readonly {
    readonly name: string;
    readonly giveUp: (opened: OpenedClient, aborting: AbortController) => unknown;
    readonly error: object;
  }[] = [
    {
      name: 'whose client was closed',
      giveUp: async ({ access }) => access[Symbol.asyncDispose](),
      error: { code: 'CLOSED' },
    },
    {
      name: 'whose caller was stopped by the failure of another request',
      giveUp: (_, aborting) => aborting.abort(given),
      error: given,
    },
  ];
  for (const { name, giveUp, error } of cases) {
    it(`${name} is not tried without`, async () => {
      await using server = await startSilentServer();
      const lines: string[] = [];
      const keep = (line: string): void => void lines.push(line);
      const log = { debug: () => {}, info: keep, warn: keep };
      await using opened = openClient(`${server.host}/${REPOSITORY}:1`, { tlsVerify: false, log });
      const aborting = new AbortController();
      const reading = opened.client.readManifest(undefined, aborting.signal);
      const rejected = assert.rejects(reading, error);
      await server.connected;
      await giveUp(opened, aborting);
      await rejected;
      assert.deepEqual(lines, []);
    });
  }

  it('is not asked by a client that was closed before', async () => {
    await using server = await startScriptedRegistry();
    await using opened = openClient(`${server.host}/${REPOSITORY}:1`, { tlsVerify: false });
    await opened.access[Symbol.asyncDispose]();
    await assert.rejects(opened.client.readManifest(undefined, signal), { code: 'CLOSED' });
    assert.equal(server.connections(), 0);
  });
});

describe('registries.conf in use', () => {
  it('keeps a blocked registry from being asked', async () => {
    await using server = await startScriptedRegistry();
    const registriesConf = `[[registry]]\nlocation = "${server.host}"\nblocked = true`;
    assert.throws(() => openClient(`${server.host}/${REPOSITORY}:1`, { registriesConf }), {
      code: 'BLOCKED',
    });
    assert.equal(server.requests.length, 0);
  });

  it('has its doubtful keys in the log', async () => {
    const warnings: string[] = [];
    const log = {
      debug: () => {},
      info: () => {},
      warn: (line: string) => void warnings.push(line),
    };
    await using opened = openClient('r.example/x', { registriesConf: 'blocked = true', log });
    assert.match(warnings.join(), /key "blocked" is not known/);
    assert.deepEqual(opened.access.conf.rules, []);
  });
});
