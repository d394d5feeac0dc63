// SPDX-License-Identifier: Apache-2.0
// The attack cases of the HTTP side, each from a registry in this process that misbehaves on purpose.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sha256 } from '../../src/base/digest.ts';
import { createCertificates } from '../support/registry/certificates.ts';
import {
  collect,
  IMPATIENT,
  openClient,
  type ClientSetup,
} from '../support/registry/open-client.ts';
import {
  CONFIG,
  isLayer,
  LAYER,
  LAYER_BYTES,
  MANIFEST_BYTES,
  MANIFEST_DIGEST,
  type RecordedRequest,
  REPOSITORY,
  type Script,
  type ScriptedServer,
  startScriptedRegistry,
} from '../support/registry/scripted-registry.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const { signal } = new AbortController();
const PLAIN: ClientSetup = { tlsVerify: false };
const LOGIN: ClientSetup = { tlsVerify: false, creds: 'user:secret' };

/** Whoever tries to connect to where nobody answers waits for long. */
const UNHURRIED = { connectMs: 120_000 };

const reference = (server: ScriptedServer, suffix = ':1'): string =>
  `${server.host}/${REPOSITORY}${suffix}`;

/** Reads the manifest from a registry with this script. */
async function readManifest(script: Script, setup = PLAIN, suffix = ':1'): Promise<ScriptedServer> {
  await using server = await startScriptedRegistry(script);
  await using opened = openClient(reference(server, suffix), setup);
  const { digest } = await opened.client.readManifest(undefined, signal);
  assert.equal(digest, MANIFEST_DIGEST);
  return server;
}

/** Reads the layer from a registry with this script; what arrived must be the layer. */
async function readLayer(script: Script, setup = PLAIN): Promise<ScriptedServer> {
  await using server = await startScriptedRegistry(script);
  await using opened = openClient(reference(server), setup);
  const bytes = await collect(opened.client.openBlob(LAYER, { signal }));
  assert.equal(sha256(bytes), LAYER.digest);
  return server;
}

const answer = (response: ServerResponse, status: number, headers = {}, body = ''): true => {
  response.writeHead(status, headers).end(body);
  return true;
};

const layerScript =
  (act: (response: ServerResponse, request: RecordedRequest) => void): Script =>
  (request, response) => {
    if (!isLayer(request)) return false;
    act(response, request);
    return true;
  };

const manifestScript =
  (act: (response: ServerResponse) => void): Script =>
  (request, response) => {
    if (!request.path.includes('/manifests/')) return false;
    act(response);
    return true;
  };

/** Asks for a bearer token from `realm` until one is sent. */
const wantsToken =
  (realm: (request: RecordedRequest) => string): Script =>
  (request, response) => {
    if (request.headers.authorization?.startsWith('Bearer ') === true) return false;
    if (!request.path.startsWith('/v2/')) return false;
    const challenge = `Bearer realm="${realm(request)}",service="s"`;
    return answer(response, 401, { 'www-authenticate': challenge });
  };

const givesToken: Script = (request, response) => {
  if (!request.path.startsWith('/token')) return false;
  return answer(response, 200, {}, JSON.stringify({ token: 'tok' }));
};

describe('what a registry says about itself', () => {
  it('a03: another manifest than the digest asked for is refused, whatever Docker-Content-Digest says', async () => {
    const headers = { 'docker-content-digest': MANIFEST_DIGEST };
    const other = manifestScript((response) => answer(response, 200, headers, '{"other":1}'));
    await assert.rejects(readManifest(other, PLAIN, `@${MANIFEST_DIGEST}`), {
      code: 'DIGEST_MISMATCH',
    });
  });

  it('a03: the digest of a tag is computed, not believed', async () => {
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    await readManifest(
      manifestScript((response) => answer(response, 200, headers, String(MANIFEST_BYTES))),
    );
  });

  it('a36: a manifest above 4 MiB is not read to its end', async () => {
    const endless = manifestScript((response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 32)));
      };
      response.on('drain', more);
      more();
    });
    await assert.rejects(readManifest(endless), { code: 'TOO_LARGE' });
  });

  it('a28: neither tag nor digest can leave the path', async () => {
    await using opened = openClient('r.example/x:1');
    for (const evil of [
      '../../x',
      'a/b',
      '?x',
      '',
      `sha512:${'0'.repeat(128)}`,
      `SHA256:${'0'.repeat(64)}`,
    ]) {
      await assert.rejects(opened.client.readManifest(evil, signal), { code: 'CONFIG' }, evil);
    }
  });

  it('a blob in memory with other bytes is refused', async () => {
    const script: Script = (request, response) =>
      request.path.endsWith(CONFIG.digest)
        ? answer(response, 200, {}, 'x'.repeat(CONFIG.sizeBytes))
        : false;
    await using server = await startScriptedRegistry(script);
    await using opened = openClient(reference(server), PLAIN);
    await assert.rejects(opened.client.readBlob(CONFIG, signal), { code: 'DIGEST_MISMATCH' });
    const huge = { ...CONFIG, sizeBytes: 5 * 1024 * 1024 };
    await assert.rejects(opened.client.readBlob(huge, signal), { code: 'TOO_LARGE' });
  });
});

describe('a23: token servers', () => {
  it('on plain HTTP are not asked when the registry has HTTPS', async () => {
    using tmp = temporaryDirectory('a23');
    const tls = await createCertificates(join(tmp.directory, 'tls'));
    await using tokens = await startScriptedRegistry(givesToken);
    await using server = await startScriptedRegistry(
      wantsToken(() => `${tokens.url}/token`),
      tls,
    );
    await using opened = openClient(reference(server), { creds: 'user:secret', tlsVerify: false });
    await assert.rejects(opened.client.readManifest(undefined, signal), {
      code: 'TOKEN_SERVER_REFUSED',
    });
    assert.equal(tokens.requests.length, 0);
  });

  for (const realm of [
    'http://169.254.169.254/latest/meta-data/',
    'http://[fe80::1]/token',
    'http://[::ffff:169.254.169.254]/token',
    'http://10.0.0.1/token',
    'http://user:pw@127.0.0.1/token',
    'file:///etc/shadow',
    'nonsense',
  ]) {
    it(`at ${realm} are not asked`, async () => {
      const started = performance.now();
      const setup = { ...PLAIN, timing: UNHURRIED };
      const reading = readManifest(
        wantsToken(() => realm),
        setup,
      );
      await assert.rejects(reading, { code: 'TOKEN_SERVER_REFUSED' });
      assert.ok(performance.now() - started < UNHURRIED.connectMs / 2, 'nothing was connected to');
    });
  }

  it('that redirect are not followed', async () => {
    await using thief = await startScriptedRegistry(givesToken);
    const script: Script = (request, response) =>
      request.path.startsWith('/token')
        ? answer(response, 307, { location: `${thief.url}/token` })
        : wantsToken(({ headers }) => `http://${headers.host}/token`)(request, response);
    await assert.rejects(readManifest(script, LOGIN), { code: 'TOKEN_SERVER_REFUSED' });
    assert.equal(thief.requests.length, 0);
  });

  it('of another organisation get no login, but may give tokens to strangers', async () => {
    await using tokens = await startScriptedRegistry(givesToken);
    const elsewhere = wantsToken(() => `http://localhost:${tokens.port}/token`);
    await assert.rejects(readManifest(elsewhere, LOGIN), {
      code: 'TOKEN_SERVER_REFUSED',
      message: /another organisation/,
    });
    assert.equal(tokens.requests.length, 0);
    await readManifest(elsewhere);
    assert.deepEqual(
      tokens.requests.map(({ headers }) => headers.authorization),
      [undefined],
    );
  });

  it('a23: of another registry get no login of that one, whose token this one would be told', async () => {
    using tmp = temporaryDirectory('token-relay');
    const authfile = join(tmp.directory, 'auth.json');
    const login = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
    await using other = await startScriptedRegistry(givesToken);
    await using evil = await startScriptedRegistry(
      wantsToken(() => `http://localhost:${other.port}/token`),
    );
    const read = async (own: string, ofOther: string): Promise<void> => {
      const auths = { [evil.host]: login(own), [`localhost:${other.port}`]: login(ofOther) };
      writeFileSync(authfile, JSON.stringify({ auths }));
      await using opened = openClient(reference(evil), { authfile, tlsVerify: false });
      await opened.client.readManifest(undefined, signal);
    };
    await assert.rejects(read('user:for-this', 'user:for-other'), {
      code: 'TOKEN_SERVER_REFUSED',
      message: /another organisation/,
    });
    assert.equal(other.requests.length, 0);
    // Kept for both, it is the word of who keeps it that the one asks the other.
    await read('user:for-both', 'user:for-both');
    assert.equal(other.requests.length, 1);
  });

  it('that answer without a token, or with one that breaks a header, are refused', async () => {
    for (const body of [
      '{}',
      'no json',
      '{"token":""}',
      '{"token":"a\\r\\nX: y"}',
      '{"token":1}',
    ]) {
      const script: Script = (request, response) =>
        request.path.startsWith('/token')
          ? answer(response, 200, {}, body)
          : wantsToken(({ headers }) => `http://${headers.host}/token`)(request, response);
      await assert.rejects(readManifest(script), { code: 'PROTOCOL' }, body);
    }
  });

  it('are asked once for a whole image, and again when a token is no longer accepted', async () => {
    let accepted = 'tok1';
    let issued = 0;
    const script: Script = (request, response) => {
      if (request.path.startsWith('/token')) {
        issued += 1;
        return answer(
          response,
          200,
          {},
          JSON.stringify({ access_token: `tok${issued}`, expires_in: 300 }),
        );
      }
      if (request.headers.authorization === `Bearer ${accepted}`) return false;
      const challenge = `Bearer realm="http://${request.headers.host}/token",service="s"`;
      return answer(response, 401, { 'www-authenticate': challenge });
    };
    await using server = await startScriptedRegistry(script);
    await using opened = openClient(reference(server), LOGIN);
    await opened.client.readManifest(undefined, signal);
    await opened.client.readBlob(CONFIG, signal);
    assert.equal(issued, 1);
    accepted = 'tok2';
    await opened.client.readBlob(CONFIG, signal);
    assert.equal(issued, 2);
    const [token] = server.requests.filter(({ path }) => path.startsWith('/token'));
    const query = new URL(token?.path ?? '', server.url).searchParams;
    assert.deepEqual(Object.fromEntries(query), {
      account: 'user',
      service: 's',
      scope: `repository:${REPOSITORY}:pull`,
    });
  });

  it('get an identity token in a form, never in a URL', async () => {
    using tmp = temporaryDirectory('identity');
    const script: Script = (request, response) =>
      request.path.startsWith('/token')
        ? answer(response, 200, {}, JSON.stringify({ access_token: 'tok' }))
        : wantsToken(({ headers }) => `http://${headers.host}/token`)(request, response);
    await using server = await startScriptedRegistry(script);
    const authfile = join(tmp.directory, 'auth.json');
    writeFileSync(
      authfile,
      JSON.stringify({ auths: { [server.host]: { identitytoken: 'refresh' } } }),
    );
    await using opened = openClient(reference(server), { tlsVerify: false, authfile });
    await opened.client.readManifest(undefined, signal);
    const [request] = server.requests.filter(({ path }) => path.startsWith('/token'));
    assert.equal(request?.method, 'POST');
    assert.equal(request.path, '/token');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(request.body)), {
      grant_type: 'refresh_token',
      client_id: 'sysct',
      service: 's',
      scope: `repository:${REPOSITORY}:pull`,
      refresh_token: 'refresh',
    });
  });
});

describe('a24: redirects', () => {
  for (const inside of ['http://169.254.169.254/latest/meta-data/', 'http://[fe80::1]/']) {
    it(`of a lookaside to ${inside} are not followed`, async () => {
      const script: Script = (_, response) => answer(response, 302, { location: inside });
      await using lookaside = await startScriptedRegistry(script);
      await using opened = openClient(reference(lookaside), { ...PLAIN, timing: UNHURRIED });
      const started = performance.now();
      await assert.rejects(
        opened.access.httpGet(`${lookaside.url}/signature-1`, {
          signal,
          maxBytes: 1000,
          timeoutMs: UNHURRIED.connectMs,
        }),
        { code: 'REDIRECT_REFUSED' },
      );
      assert.ok(performance.now() - started < UNHURRIED.connectMs / 2, 'nothing was connected to');
    });
  }

  const wantsPassword: Script = (request, response) =>
    request.headers.authorization === undefined
      ? answer(response, 401, { 'www-authenticate': 'Basic realm="x"' })
      : false;

  it('to another port of the same host carry no login', async () => {
    await using cdn = await startScriptedRegistry();
    const script: Script = async (request, response) => {
      if (await wantsPassword(request, response)) return true;
      if (!isLayer(request)) return false;
      return answer(response, 307, { location: cdn.url + request.path });
    };
    const server = await readLayer(script, LOGIN);
    assert.ok(server.requests.some(({ headers }) => headers.authorization !== undefined));
    assert.deepEqual(
      cdn.requests.map(({ headers }) => headers.authorization),
      [undefined],
    );
  });

  it('back to the registry carry none either, once they have left it', async () => {
    const seen: (string | undefined)[] = [];
    let home = '';
    await using cdn = await startScriptedRegistry((request, response) =>
      answer(response, 302, { location: `${home}${request.path}?back` }),
    );
    const script: Script = async (request, response) => {
      home = `http://${request.headers.host}`;
      if (request.path.endsWith('?back')) {
        seen.push(request.headers.authorization);
        response.writeHead(200).end(LAYER_BYTES);
        return true;
      }
      if (await wantsPassword(request, response)) return true;
      return isLayer(request) ? answer(response, 302, { location: cdn.url + request.path }) : false;
    };
    await readLayer(script, LOGIN);
    assert.deepEqual(seen, [undefined]);
  });

  it('within the registry keep it', async () => {
    const script: Script = async (request, response) => {
      if (await wantsPassword(request, response)) return true;
      if (request.path.endsWith('?moved')) {
        response.writeHead(200).end(LAYER_BYTES);
        return true;
      }
      return isLayer(request)
        ? answer(response, 308, { location: `${request.path}?moved` })
        : false;
    };
    await readLayer(script, LOGIN);
  });

  it('from https to http are refused', async () => {
    using tmp = temporaryDirectory('a24');
    const tls = await createCertificates(join(tmp.directory, 'tls'));
    await using cdn = await startScriptedRegistry();
    const script: Script = (request, response) =>
      isLayer(request) ? answer(response, 307, { location: cdn.url + request.path }) : false;
    await using server = await startScriptedRegistry(script, tls);
    await using opened = openClient(reference(server), { tlsVerify: false });
    await assert.rejects(collect(opened.client.openBlob(LAYER, { signal })), {
      code: 'REDIRECT_REFUSED',
    });
    assert.equal(cdn.requests.length, 0);
  });

  const refused: readonly [name: string, location: string | undefined, code: string][] = [
    ['in a circle', '', 'REDIRECT_REFUSED'],
    ['to the metadata service', 'http://169.254.169.254/latest/', 'REDIRECT_REFUSED'],
    ['with a password in the URL', 'http://user:pw@127.0.0.1/', 'REDIRECT_REFUSED'],
    ['to a file', 'file:///etc/shadow', 'REDIRECT_REFUSED'],
    ['to nowhere', undefined, 'PROTOCOL'],
  ];
  for (const [name, location, code] of refused) {
    it(`${name} are refused`, async () => {
      const headers = location === undefined ? {} : { location };
      await assert.rejects(readLayer(layerScript((response) => answer(response, 302, headers))), {
        code,
      });
    });
  }

  it('do not let a stranger ask for the login', async () => {
    await using thief = await startScriptedRegistry((_, response) =>
      answer(response, 401, { 'www-authenticate': 'Basic realm="give"' }),
    );
    const script: Script = (request, response) =>
      isLayer(request) ? answer(response, 307, { location: thief.url + request.path }) : false;
    await assert.rejects(readLayer(script, LOGIN), { code: 'UNAUTHORIZED' });
    assert.deepEqual(
      thief.requests.map(({ headers }) => headers.authorization),
      [undefined],
    );
  });
});

describe('a25: mirrors', () => {
  it('on another host never get --creds', async () => {
    const wants: Script = (request, response) =>
      request.headers.authorization === undefined
        ? answer(response, 401, { 'www-authenticate': 'Basic realm="x"' })
        : false;
    await using mirror = await startScriptedRegistry(wants);
    await using primary = await startScriptedRegistry(wants);
    const registriesConf = `[[registry]]\nlocation = "${primary.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"`;
    await using opened = openClient(reference(primary), { ...LOGIN, registriesConf });
    await opened.client.readManifest(undefined, signal);
    assert.ok(mirror.requests.length > 0);
    assert.ok(mirror.requests.every(({ headers }) => headers.authorization === undefined));
    assert.ok(primary.requests.some(({ headers }) => headers.authorization !== undefined));
  });
});

describe('a26: a host that only looks like one with a login', () => {
  it('gets none, neither of a file nor of a helper, nor of what clouds put into the environment', async () => {
    using tmp = temporaryDirectory('a26');
    const script: Script = (request, response) =>
      request.headers.authorization === undefined
        ? answer(response, 401, { 'www-authenticate': 'Basic realm="x"' })
        : false;
    await using server = await startScriptedRegistry(script);
    const [, port = ''] = server.host.split(':');
    const login = { auth: Buffer.from('user:secret').toString('base64') };
    const others = [
      '127.0.0.1',
      `127.0.0.1:${port}0`,
      `localhost:${port}`,
      `127.0.0.1.example:${port}`,
    ];
    const hosts = [...others, `1127.0.0.1:${port}`, `https://127.0.0.1:1${port}/v1/`];
    const authfile = join(tmp.directory, 'auth.json');
    const asked = join(tmp.directory, 'asked');
    const helper = join(tmp.directory, 'docker-credential-cloud');
    writeFileSync(helper, `#!/bin/sh\ncat > ${asked}\necho '{"Username":"u","Secret":"s"}'\n`, {
      mode: 0o755,
    });
    writeFileSync(
      authfile,
      JSON.stringify({
        auths: Object.fromEntries(hosts.map((host) => [host, login])),
        credHelpers: { [`localhost:${port}`]: 'cloud', 'gcr.io': 'cloud', '127.0.0.1': 'cloud' },
      }),
    );
    const env = {
      PATH: `${tmp.directory}:/usr/bin:/bin`,
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
      GOOGLE_APPLICATION_CREDENTIALS: authfile,
    };
    await using opened = openClient(reference(server), { tlsVerify: false, authfile, env });
    await assert.rejects(opened.client.readManifest(undefined, signal), { code: 'UNAUTHORIZED' });
    assert.ok(server.requests.every(({ headers }) => headers.authorization === undefined));
    assert.ok(!existsSync(asked), 'a helper was asked');
  });
});

describe('a27: a registry that does not speak TLS', () => {
  it('never gets a request, not even without a login', async () => {
    await using server = await startScriptedRegistry();
    await using opened = openClient(reference(server), { creds: 'user:secret' });
    await assert.rejects(opened.client.readManifest(undefined, signal), { code: 'TLS' });
    assert.deepEqual(server.requests, []);
  });
});

describe('a31: sizes', () => {
  const cases: readonly [name: string, script: Script, code: string][] = [
    [
      'a longer body without a length ends one byte behind the descriptor',
      layerScript((response) => {
        response.write(LAYER_BYTES);
        response.end('x');
      }),
      'SIZE_MISMATCH',
    ],
    [
      'a longer Content-Length is refused at once',
      layerScript((response) => {
        response.writeHead(200, { 'content-length': LAYER.sizeBytes + 1 }).flushHeaders();
      }),
      'SIZE_MISMATCH',
    ],
    [
      'a shorter Content-Length is refused at once',
      layerScript((response) => answer(response, 200, { 'content-length': 1 }, 'x')),
      'SIZE_MISMATCH',
    ],
    [
      'a shorter body is refused',
      layerScript((response, request) => {
        if (request.headers.range === undefined) response.end(LAYER_BYTES.subarray(0, 1000));
        else answer(response, 416);
      }),
      'SIZE_MISMATCH',
    ],
    [
      'a content encoding is refused',
      layerScript((response) => answer(response, 200, { 'content-encoding': 'gzip' }, 'x')),
      'PROTOCOL',
    ],
    [
      'a part that was not asked for is refused',
      layerScript((response) =>
        answer(response, 206, { 'content-range': 'bytes 0-9/10' }, '0123456789'),
      ),
      'PROTOCOL',
    ],
  ];
  for (const [name, script, code] of cases) {
    it(name, async () => {
      await assert.rejects(readLayer(script), { code });
    });
  }

  it('a manifest with a content encoding is refused', async () => {
    const script = manifestScript((response) =>
      answer(response, 200, { 'content-encoding': 'gzip' }, 'x'),
    );
    await assert.rejects(readManifest(script), { code: 'PROTOCOL' });
  });
});

describe('a31: broken downloads', () => {
  const breakAfter = (bytes: number, response: ServerResponse, from = 0): void => {
    const part = LAYER_BYTES.subarray(from);
    const range = `bytes ${from}-${LAYER.sizeBytes - 1}/${LAYER.sizeBytes}`;
    response.writeHead(from === 0 ? 200 : 206, {
      'content-length': part.length,
      ...(from === 0 ? {} : { 'content-range': range }),
    });
    response.write(part.subarray(0, bytes), () => response.destroy());
  };
  const rangesOf = (server: ScriptedServer): (string | undefined)[] =>
    server.requests.filter(isLayer).map(({ headers }) => headers.range);

  it('go on at the byte where they stopped', async () => {
    const server = await readLayer(layerScriptOnce((response) => breakAfter(1_500_000, response)));
    const [first, second, ...others] = rangesOf(server);
    assert.equal(first, undefined);
    assert.match(second ?? '', /^bytes=[1-9]\d{4,}-$/);
    assert.deepEqual(others, []);
  });

  it('start again and skip where the server knows no ranges', async () => {
    let tries = 0;
    const script = layerScript((response) => {
      tries += 1;
      if (tries === 1) breakAfter(1_500_000, response);
      else answerBytes(response, 200, LAYER_BYTES);
    });
    await readLayer(script);
    assert.equal(tries, 2);
  });

  const wrong: readonly [name: string, range: (start: number) => string][] = [
    ['of other bytes', (start) => `bytes ${start + 1}-${LAYER.sizeBytes - 1}/${LAYER.sizeBytes}`],
    ['of another total', (start) => `bytes ${start}-${LAYER.sizeBytes - 1}/${LAYER.sizeBytes + 1}`],
    ['that ends early', (start) => `bytes ${start}-${start}/${LAYER.sizeBytes}`],
    ['that is nonsense', () => 'bytes */*'],
  ];
  for (const [name, range] of wrong) {
    it(`refuse a part ${name}`, async () => {
      const script = layerScript((response, request) => {
        const start = Number(/=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        if (start === 0) breakAfter(1_500_000, response);
        else answer(response, 206, { 'content-range': range(start) }, 'x');
      });
      await assert.rejects(readLayer(script), { code: 'PROTOCOL' });
    });
  }

  it('are given up after some tries without progress', async () => {
    let tries = 0;
    const script = layerScript((response) => {
      tries += 1;
      response.destroy();
    });
    await assert.rejects(readLayer(script), {
      code: 'UNREACHABLE',
      message: /the connection broke/,
    });
    assert.equal(tries, 4);
  });

  it('are not given up while they make progress', async () => {
    let tries = 0;
    const script = layerScript((response, request) => {
      tries += 1;
      breakAfter(
        300_000 + tries,
        response,
        Number(/=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0),
      );
    });
    await using server = await startScriptedRegistry(script);
    await using opened = openClient(reference(server), { ...PLAIN, timing: { retries: 12 } });
    const notices: number[] = [];
    const onRetry = ({ attempt }: { attempt: number }): void => void notices.push(attempt);
    const bytes = await collect(opened.client.openBlob(LAYER, { signal, onRetry }));
    assert.equal(sha256(bytes), LAYER.digest);
    assert.ok(tries > 5);
    assert.equal(notices.length, tries - 1);
  });

  it('go on at the next endpoint, from the same byte', async () => {
    await using mirror = await startScriptedRegistry(
      layerScriptOnce((response) => breakAfter(1_500_000, response), 'forever'),
    );
    await using primary = await startScriptedRegistry();
    const registriesConf = `[[registry]]\nlocation = "${primary.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"`;
    await using opened = openClient(reference(primary), { ...PLAIN, registriesConf });
    await opened.client.readManifest(undefined, signal);
    const bytes = await collect(opened.client.openBlob(LAYER, { signal }));
    assert.equal(sha256(bytes), LAYER.digest);
    assert.match(rangesOf(primary).join(), /^bytes=[1-9]\d{4,}-$/);
  });

  function layerScriptOnce(
    act: (response: ServerResponse) => void,
    how: 'once' | 'forever' = 'once',
  ): Script {
    let done = false;
    return (request, response) => {
      if (!isLayer(request) || (done && how === 'once')) return false;
      if (done) return answer(response, 500);
      done = true;
      act(response);
      return true;
    };
  }

  function answerBytes(response: ServerResponse, status: number, bytes: Buffer): void {
    response.writeHead(status, { 'content-length': bytes.length }).end(bytes);
  }
});

describe('a31: slow servers', () => {
  it('that send nothing more are left, and the download goes on', async () => {
    let stalled = false;
    const script: Script = (request, response) => {
      if (!isLayer(request) || stalled) return false;
      stalled = true;
      response.writeHead(200, { 'content-length': LAYER.sizeBytes });
      response.write(LAYER_BYTES.subarray(0, 100_000));
      return true;
    };
    await readLayer(script, { ...PLAIN, timing: IMPATIENT });
    assert.ok(stalled);
  });

  it('that drip are left', async () => {
    const drip = layerScript((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 100);
      response.on('close', () => clearInterval(timer));
    });
    const setup = { ...PLAIN, timing: { ...IMPATIENT, retries: 0 } };
    await assert.rejects(readLayer(drip, setup), { code: 'TIMEOUT', message: /too slowly/ });
  });

  it('that drip a manifest faster are left when its time is over', async () => {
    const drip = manifestScript((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '.repeat(1000)), 50);
      response.on('close', () => clearInterval(timer));
    });
    const setup = { ...PLAIN, timing: { retries: 0, documentMs: 1500 } };
    await assert.rejects(readManifest(drip, setup), {
      code: 'TIMEOUT',
      message: /not complete in time/,
    });
  });

  it('that say for ever that an answer is to come are left', async () => {
    const early = manifestScript((response) => {
      const timer = setInterval(() => response.writeEarlyHints({ link: '</x>; rel=preload' }), 100);
      response.on('close', () => clearInterval(timer));
    });
    const setup = { ...PLAIN, timing: { headersMs: 3000, retries: 0 } };
    await assert.rejects(readManifest(early, setup), {
      code: 'TIMEOUT',
      message: /no answer in time, only that one is to come/,
    });
  });

  it('that say a few times that an answer is to come are waited for', async () => {
    const script: Script = (request, response) => {
      if (request.path.includes('/manifests/')) {
        for (const n of [1, 2, 3]) response.writeEarlyHints({ link: `</${n}>; rel=preload` });
      }
      return false;
    };
    await readManifest(script);
  });

  it('that never answer are left', async () => {
    const silent: Script = (request) => request.path.includes('/manifests/');
    const setup = { ...PLAIN, timing: { ...IMPATIENT, retries: 0 } };
    await assert.rejects(readManifest(silent, setup), {
      code: 'TIMEOUT',
      message: /no answer in time/,
    });
  });
});

describe('a31: servers in trouble', () => {
  const failing = (
    status: number,
    times: number,
    headers = {},
  ): { script: Script; tries: () => number } => {
    let tries = 0;
    const script: Script = (request, response) => {
      if (!request.path.includes('/manifests/')) return false;
      tries += 1;
      return tries > times ? false : answer(response, status, headers);
    };
    return { script, tries: () => tries };
  };

  for (const status of [429, 500, 502, 503, 504, 408]) {
    it(`are asked again after ${status}`, async () => {
      const { script, tries } = failing(status, 2);
      await readManifest(script);
      assert.equal(tries(), 3);
    });
  }

  const final: readonly [status: number, code: string, tries: number][] = [
    [429, 'RATE_LIMITED', 4],
    [503, 'SERVER_FAILED', 4],
    [501, 'SERVER_FAILED', 1],
    [400, 'PROTOCOL', 1],
    [401, 'UNAUTHORIZED', 1],
    [403, 'FORBIDDEN', 1],
    [404, 'NOT_FOUND', 1],
  ];
  for (const [status, code, expected] of final) {
    it(`are given up with ${code} after ${expected} answers of ${status}`, async () => {
      const { script, tries } = failing(status, 1000);
      await assert.rejects(readManifest(script), { code });
      assert.equal(tries(), expected);
    });
  }

  it('cannot make us wait longer than the cap', async () => {
    const { script } = failing(429, 2, { 'retry-after': '86400' });
    const started = performance.now();
    await readManifest(script);
    assert.ok(performance.now() - started < 120_000);
  });

  it('make us wait as long as they ask below the cap', async () => {
    const { script } = failing(429, 1, { 'retry-after': '1' });
    const started = performance.now();
    await readManifest(script, { ...PLAIN, timing: { longestWaitMs: 5000 } });
    assert.ok(performance.now() - started > 900);
  });

  it('speak in our messages, without control characters and without end', async () => {
    const errors = [{ code: 'DENIED', message: `no\u001b[31m\n${'x'.repeat(10_000)}` }];
    const script = manifestScript((response) =>
      answer(response, 403, {}, JSON.stringify({ errors })),
    );
    await assert.rejects(readManifest(script), ({ message }: Error) => {
      assert.match(message, /answered 403: DENIED: no\\x1b\[31m\\x0a/);
      assert.ok(message.length < 500);
      return true;
    });
  });

  it('that are no registries are named so', async () => {
    const script: Script = (_, response) => answer(response, 404, {}, '<html>');
    await assert.rejects(readManifest(script), {
      code: 'PROTOCOL',
      message: /this is no registry/,
    });
  });
});

describe('a16, a18: the signature extension', () => {
  const extension =
    (body: string, status = 200): Script =>
    (request, response) => {
      if (request.path === '/v2/') {
        return answer(response, 200, { 'x-registry-supports-signatures': '1' });
      }
      return request.path.startsWith('/extensions/') ? answer(response, status, {}, body) : false;
    };
  const read = async (
    script: Script,
  ): Promise<{ sources: string[]; bytes: string[]; places: readonly string[] }> => {
    await using server = await startScriptedRegistry(script);
    await using opened = openClient(reference(server), PLAIN);
    const { signatures, places } = await opened.client.readSignatureExtension(
      MANIFEST_DIGEST,
      signal,
    );
    return {
      sources: signatures.map(({ source }) => source.slice(server.url.length)),
      bytes: signatures.map(({ bytes }) => bytes.toString('latin1')),
      places: places.map(({ place, answer }) => `${place.slice(server.url.length)}: ${answer}`),
    };
  };
  const path = `/extensions/v2/${REPOSITORY}/signatures/${MANIFEST_DIGEST}`;
  const entry = (content: string, more = {}): object => ({
    schemaVersion: 2,
    name: `${MANIFEST_DIGEST}@1`,
    type: 'atomic',
    content: Buffer.from(content, 'latin1').toString('base64'),
    ...more,
  });

  it('gives the signatures of the known kind', async () => {
    const list = [
      entry('\xa3one'),
      entry('old', { schemaVersion: 1 }),
      entry('x', { type: 'other' }),
      entry('two'),
    ];
    assert.deepEqual(await read(extension(JSON.stringify({ signatures: list }))), {
      sources: [`${path} (${MANIFEST_DIGEST}@1)`, `${path} (${MANIFEST_DIGEST}@1)`],
      bytes: ['\xa3one', 'two'],
      places: [`${path}: 2 signatures`],
    });
  });

  it('has none where there are none', async () => {
    assert.deepEqual((await read(extension('{"signatures":[]}'))).places, [
      `${path}: 0 signatures`,
    ]);
    assert.deepEqual((await read(extension('', 404))).places, [`${path}: 404`]);
  });

  const refused: readonly [name: string, script: Script, code: string][] = [
    ['a login page', extension('<html>please log in</html>'), 'PROTOCOL'],
    ['a list without signatures', extension('{}'), 'PROTOCOL'],
    [
      'a signature that is no base64',
      extension(JSON.stringify({ signatures: [entry('', { content: '!' })] })),
      'PROTOCOL',
    ],
    [
      'a flood of signatures',
      extension(JSON.stringify({ signatures: Array.from({ length: 129 }, () => entry('x')) })),
      'TOO_LARGE',
    ],
    ['a server error', extension('', 500), 'SERVER_FAILED'],
  ];
  for (const [name, script, code] of refused) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(read(script), { code });
    });
  }
});

describe('a pull that is given up', () => {
  it('ends at once, with the reason of the signal', async () => {
    const controller = new AbortController();
    const script = layerScript((response) => {
      response.writeHead(200, { 'content-length': LAYER.sizeBytes });
      response.write(LAYER_BYTES.subarray(0, 100_000));
    });
    await using server = await startScriptedRegistry(script);
    await using opened = openClient(reference(server), PLAIN);
    const reason = new Error('stopped');
    const reading = collect(opened.client.openBlob(LAYER, { signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 100);
    await assert.rejects(reading, (error) => error === reason);
  });

  it('ends at once while it waits for a retry', async () => {
    const controller = new AbortController();
    await using server = await startScriptedRegistry((_, response) => answer(response, 503));
    const timing = { backoffMs: 30_000, longestWaitMs: 30_000 };
    await using opened = openClient(reference(server), { ...PLAIN, timing });
    const reading = opened.client.readManifest(undefined, controller.signal);
    setTimeout(() => controller.abort(new Error('stopped')), 100);
    await assert.rejects(reading, /stopped/);
  });

  it('closes its connection when the reader leaves the loop', async () => {
    const script = layerScript((response) => {
      response.writeHead(200, { 'content-length': LAYER.sizeBytes });
      response.write(LAYER_BYTES.subarray(0, 2_000_000));
    });
    await using server = await startScriptedRegistry(script);
    await using opened = openClient(reference(server), PLAIN);
    for await (const chunk of opened.client.openBlob(LAYER, { signal })) {
      assert.ok(chunk.length > 0);
      break;
    }
    while (server.connections() > 0) await delay(10);
  });
});
