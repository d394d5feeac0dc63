// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import { writeBusyboxImage } from '../support/image/busybox-image.ts';
import { createGpgHome } from '../support/trust/gpg.ts';
import { type Registry, startRegistry } from '../support/registry/registry.ts';
import { pushLayout } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';
import { type Cost, costOf } from './cost.ts';
import { printPromise, printRow } from './print-row.ts';

const ROUNDS = 15;
const KEYS = '/etc/pki/containers';

/** What it is checked by, and what its policy asks for. */
const CHECKS: readonly (readonly [title: string, tag: string, requirements: readonly object[]])[] =
  [
    ['unsigned, by scope', 'none', [{ type: 'insecureAcceptAnything' }]],
    ['a GPG signature', 'gpg', [gpg()]],
    ['a sigstore signature', 'sigstore', [sigstore()]],
    ['both', 'both', [gpg(), sigstore()]],
  ];

function gpg(): object {
  return { type: 'signedBy', keyType: 'GPGKeys', keyPath: `${KEYS}/gpg.gpg` };
}

function sigstore(): object {
  return { type: 'sigstoreSigned', keyPath: `${KEYS}/cosign.pub` };
}

/** What checking signatures adds to an install: the same small image, unsigned and signed, each in turn on a host that has nothing of it. */
export async function measureTrust(): Promise<void> {
  using tmp = temporaryDirectory('bench-trust', '/dev/shm');
  await using registry = await startRegistry();
  const root = join(tmp.directory, 'root');
  await using site = await prepareSite(root, registry);
  void site;
  console.log('\ninstalls of the same image, by what its policy asks for');
  const costs = new Map(CHECKS.map(([title]) => [title, [] as (Cost & { ms: number })[]]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [title, tag] of CHECKS) {
      const since = performance.now();
      const install = ['install', '--quiet', '--root', root, '--name', 'app'];
      const cost = await costOf('dist/sysct', [...install, `${registry.host}/${tag}/app:1`]);
      const ms = performance.now() - since;
      // The first round warms the caches of the disk.
      if (round > 0) costs.get(title)?.push({ ...cost, ms });
      await sysct(root, 'uninstall', '--purge', 'app');
      await sysct(root, 'rmi', '--all');
      await sysct(root, 'gc', '--all');
    }
  }
  const [[unsigned] = ['']] = CHECKS;
  const base = median((costs.get(unsigned) ?? []).map(({ ms }) => ms));
  for (const [title, runs] of costs) {
    const ms = runs.map((run) => run.ms);
    const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds * 1000));
    const peak = Math.max(...runs.map(({ peakMb }) => peakMb));
    printRow(`  ${title}`, [
      `${median(ms).toFixed(0)} ms (best ${Math.min(...ms).toFixed(0)})`,
      `CPU ${cpu.toFixed(0)} ms`,
      `${peak.toFixed(0)} MB`,
    ]);
    if (title !== unsigned) printPromise('    adds', median(ms) - base, 150, ' ms');
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function sysct(root: string, verb: string, ...args: readonly string[]): Promise<void> {
  await runChecked('dist/sysct', [verb, '--root', root, ...args]);
}

function write(path: string, text: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

async function prepareSite(root: string, registry: Registry): Promise<AsyncDisposable> {
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  copyFileSync('/usr/sbin/runc', join(root, 'usr/bin/runc'));
  const etc = join(root, 'etc/containers');
  write(join(etc, 'certs.d', registry.host, 'ca.crt'), readFileSync(registry.caFile));
  const signatures = join(root, 'srv/signatures');
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(signatures, request.url ?? '/')));
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const places = `lookaside: http://127.0.0.1:${port}\n  lookaside-staging: file:///srv/signatures`;
  write(
    join(etc, 'registries.d/a.yaml'),
    `default-docker:\n  ${places}\n  use-sigstore-attachments: true\n`,
  );
  const scopes = CHECKS.map(([, tag, requirements]) => [`${registry.host}/${tag}`, requirements]);
  const docker = Object.fromEntries(scopes) as object;
  const policy = { default: [{ type: 'reject' }], transports: { docker } };
  write(join(etc, 'policy.json'), JSON.stringify(policy));
  await signImages(root, registry);
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function signImages(root: string, registry: Registry): Promise<void> {
  const layout = join(root, 'srv/layout');
  await writeBusyboxImage(layout, '1', { script: 'exec sleep 1\n' });
  await using home = await createGpgHome();
  const key = await home.createKey();
  write(join(root, KEYS, 'gpg.gpg'), await home.exportPublicKey(key));
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  write(join(root, KEYS, 'cosign.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const cosign = write(
    join(root, 'root/cosign.key'),
    privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  const env = { ...process.env, GNUPGHOME: home.directory };
  for (const [, tag] of CHECKS) {
    await pushLayout(layout, '1', registry, `${tag}/app:1`);
    const image = `${registry.host}/${tag}/app:1`;
    const how: (readonly string[])[] = [];
    if (tag === 'gpg' || tag === 'both') how.push(['--sign-by', key.fingerprint]);
    if (tag === 'sigstore' || tag === 'both') how.push(['--sign-by-sigstore-private-key', cosign]);
    for (const args of how)
      await runChecked('dist/sysct', ['sign', '--root', root, ...args, image], { env });
  }
}
