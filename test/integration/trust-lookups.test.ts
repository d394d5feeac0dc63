// SPDX-License-Identifier: Apache-2.0
// Signatures are looked for at all places at once: here each answers only when all have been asked.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { it } from 'node:test';
import { makeKey } from '../support/trust/der-certificate.ts';
import { runCli } from '../support/host/run-cli.ts';
import { startScriptedRegistry } from '../support/registry/scripted-registry.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const PLACES = ['lookaside', 'attachments', 'referrers'] as const;

it('signatures are looked for at all places at once', async () => {
  using tmp = temporaryDirectory('lookups');
  const asked = new Set<string>();
  const inTime: string[] = [];
  const arrive = async (place: (typeof PLACES)[number]): Promise<void> => {
    asked.add(place);
    for (let n = 0; n < 1000 && asked.size < PLACES.length; n += 1) await wait(10);
    if (asked.size === PLACES.length) inTime.push(place);
  };
  await using registry = await startScriptedRegistry(async ({ path }, response) => {
    if (/\/manifests\/sha256-[0-9a-f]+\.sig$/.test(path)) await arrive('attachments');
    else if (path.includes('/referrers/')) await arrive('referrers');
    else return false;
    response.writeHead(404).end();
    return true;
  });
  const lookaside = createServer((_request, response) => {
    void arrive('lookaside').then(() => response.writeHead(404).end());
  });
  lookaside.listen(0, '127.0.0.1');
  await once(lookaside, 'listening');
  const { port } = lookaside.address() as AddressInfo;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(tmp.directory, path)), { recursive: true });
    writeFileSync(join(tmp.directory, path), text);
  };
  write(
    'etc/containers/registries.d/a.yaml',
    `default-docker:\n  lookaside: http://127.0.0.1:${port}\n  use-sigstore-attachments: true\n`,
  );
  const keyData = Buffer.from(makeKey().pem).toString('base64');
  const policy = { default: [{ type: 'sigstoreSigned', keyData }] };
  write('etc/containers/policy.json', JSON.stringify(policy));
  try {
    const image = `${registry.host}/team/app:1`;
    const flags = ['--root', tmp.directory, '--tls-verify=false'];
    const { exitCode, stderr } = await runCli('verify', ...flags, image);
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /has none/);
    assert.deepEqual(inTime.toSorted(), [...PLACES].toSorted());
  } finally {
    lookaside.close();
    lookaside.closeAllConnections();
  }
});
