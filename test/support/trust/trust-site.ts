// SPDX-License-Identifier: Apache-2.0
// A host's root in a directory, whose trust policy is edited and whose gate decides, by the program as it is shipped: what
// of it is on the disk at some moment. The images come from directories elsewhere, and say by themselves who signed them when.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../../src/base/digest.ts';
import { silentLog } from '../../../src/base/log.ts';
import { openStore } from '../../../src/store/store.ts';
import { runChecked, runProcess } from '../../../src/sys/process.ts';
import { makeSigningKey, signManifest } from './evaluate-signed.ts';
import { type Ledger, readLedger } from './read-ledger.ts';
import { SYSCT, type SysctResult } from '../host/shipped-sysct.ts';
import { writeSmallImage } from '../image/small-image.ts';

/** The images of which `app` can be one, by when they were signed. */
export type AppVersion = 'january' | 'february';

const SIGNED_AT = {
  january: new Date('2026-01-15T00:00:00Z'),
  february: new Date('2026-02-15T00:00:00Z'),
} as const satisfies Record<AppVersion, Date>;

export const APP_NAME = 'registry.example/app:1';

/** What is on the disk of a site. */
export interface TrustState {
  /** Path below /etc → mode, owner, extended attributes and content. */
  readonly etc: ReadonlyMap<string, string>;
  readonly ledger: Ledger;
  /** Name → when its newest image was signed. */
  readonly floors: ReadonlyMap<string, string>;
  /** The manifest digests of what has a name in the store, sorted. */
  readonly images: readonly string[];
}

/** Where the images and keys of a site come from; each may be there in several sites. */
export class TrustSources {
  readonly directory: string;

  /** @param directory somewhere else than the site */
  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(directory: string): Promise<TrustSources> {
    const sources = new TrustSources(directory);
    const alice = await makeSigningKey('alice');
    writeFileSync(sources.path('alice.gpg'), alice.publicKey);
    for (const name of ['release.pub', 'builder.pub']) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      writeFileSync(sources.path(name), publicKey.export({ type: 'spki', format: 'pem' }));
    }
    for (const [version, at] of Object.entries(SIGNED_AT)) {
      const digest = await sources.#writeDirectory(version);
      writeFileSync(
        sources.path(`${version}/signature-1`),
        await signManifest(alice, { digest, at, name: APP_NAME }),
      );
    }
    await sources.#writeDirectory('unsigned');
    for (let n = 0; n < OPEN_IMAGES; n += 1) await sources.#writeLayout(`open/${n}`, `open ${n}`);
    return sources;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** What `dir:…/app` stands for from now on. */
  publish(version: AppVersion): void {
    rmSync(this.path('app'), { recursive: true, force: true });
    cpSync(this.path(version), this.path('app'), { recursive: true });
  }

  async #writeLayout(name: string, content: string): Promise<string> {
    const layout = this.path(name);
    mkdirSync(layout, { recursive: true });
    await writeSmallImage(layout, '1', {
      layers: [
        [
          { name: 'usr/', type: 'directory' },
          { name: 'usr/file', content: content.repeat(999) },
        ],
      ],
      config: { Entrypoint: ['/usr/file'] },
    });
    return layout;
  }

  async #writeDirectory(name: string) {
    const layout = await this.#writeLayout(`${name}.oci`, name);
    const copy = ['--insecure-policy', 'copy', '--quiet', `oci:${layout}:1`];
    await runChecked('skopeo', [...copy, `dir:${this.path(name)}`]);
    return sha256(readFileSync(this.path(`${name}/manifest.json`)));
  }
}

/** How many images there are that policy lets in unsigned. */
export const OPEN_IMAGES = 6;

export class TrustSite {
  readonly root: string;
  readonly sources: TrustSources;

  /** @param directory the site goes to `root` below it, which may be there from before. */
  constructor(directory: string, sources: TrustSources) {
    this.root = join(directory, 'root');
    this.sources = sources;
  }

  /** A root that sysct accepts, with neither policy nor store. */
  make(): void {
    for (const path of ['etc', 'usr/lib/systemd', 'var/lib'])
      mkdirSync(join(this.root, path), { recursive: true });
    writeFileSync(join(this.root, 'usr/lib/systemd/libsystemd-shared-252.so'), '');
  }

  /** Runs sysct on the root; any exit status is a result. */
  async run(line: readonly string[]): Promise<SysctResult> {
    const words = line[0] === 'trust' ? 2 : 1;
    const { exitCode, stdout, stderr } = await runProcess(SYSCT, [
      ...line.slice(0, words),
      ...['--root', this.root],
      ...line.slice(words),
    ]);
    return { exitCode, stdout: stdout.toString('utf8'), stderr };
  }

  /** As {@link run}; another status than that is an error that holds all it printed. */
  async exits(status: number, line: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(line);
    assert.equal(exitCode, status, `sysct ${line.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Gives the files that edits wrote what an operator may give them: a group that reads, an ACL, attributes. */
  async dress(): Promise<void> {
    for (const path of [
      ...['containers/policy.json', 'containers/registries.d/sysct.yaml'],
      'sysct/trust.d/sysct.json',
    ]) {
      const real = join(this.root, 'etc', path);
      await runChecked('chown', ['0:4', real]);
      for (const [name, value] of ATTRIBUTES)
        await runChecked('setfattr', ['-n', name, '-v', value, real]);
    }
  }

  /** Brings the ledger to the size at which it is given up for a new file. */
  fillLedger(): void {
    const path = join(this.store, 'log/decisions.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    const line = `${lines[0]}\n`;
    const wanted = 8 * 1024 * 1024 - statSync(path).size;
    appendFileSync(path, line.repeat(Math.ceil(wanted / line.length)));
  }

  /** Leaves the ledger as a writer does that died in the middle of a line. */
  tearLedger(): void {
    appendFileSync(join(this.store, 'log/decisions.jsonl'), '{"version":1,"at":"2026-');
  }

  get store(): string {
    return join(this.root, 'var/lib/sysct');
  }

  async state(): Promise<TrustState> {
    return {
      etc: await this.#etc(),
      ledger: readLedger(this.store),
      floors: this.#floors(),
      images: await this.#images(),
    };
  }

  /** Files that were being written, beside their place. */
  temporaries(): readonly string[] {
    return this.#below('etc').concat(this.#below('var/lib/sysct/trust')).filter(isTemporary);
  }

  #below(path: string): string[] {
    const directory = join(this.root, path);
    if (!existsSync(directory)) return [];
    return readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted();
  }

  async #etc(): Promise<ReadonlyMap<string, string>> {
    const etc = join(this.root, 'etc');
    const paths = this.#below('etc').filter(
      (path) => !isTemporary(path) && statSync(join(etc, path)).isFile(),
    );
    const attributes = await attributesOf(paths.map((path) => join(etc, path)));
    return new Map(
      paths.map((path) => {
        const real = join(etc, path);
        const { mode, uid, gid } = statSync(real);
        const about = `${(mode & 0o7777).toString(8)} ${uid}:${gid} ${attributes.get(real) ?? ''}`;
        return [path, `${about}\n${readFileSync(real, 'latin1')}`];
      }),
    );
  }

  #floors(): ReadonlyMap<string, string> {
    const path = join(this.store, 'trust/signed-times.json');
    if (!existsSync(path)) return new Map();
    const { images } = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly images: Readonly<Record<string, { readonly signedAt: string }>>;
    };
    return new Map(Object.entries(images).map(([name, { signedAt }]) => [name, signedAt]));
  }

  async #images(): Promise<readonly string[]> {
    if (!existsSync(this.store)) return [];
    const store = await openStore(this.store, { log: silentLog });
    return store
      .listRefs()
      .map(({ manifestDigest }) => manifestDigest)
      .toSorted();
  }
}

/** An ACL (daemon may read, acl(5) in the kernel's form) and attributes of two namespaces. */
const ATTRIBUTES = [
  [
    'system.posix_acl_access',
    '0x0200000001000600ffffffff020004000100000004000400ffffffff10000400ffffffff20000000ffffffff',
  ],
  ['user.note', 'of the operator'],
  ['trusted.note', 'of the system'],
] as const;

/** Path → `NAME=VALUE` of each extended attribute. */
async function attributesOf(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (paths.length === 0) return new Map();
  const flags = ['--dump', '--match=-', '--encoding=hex', '--absolute-names', '--'];
  const { stdout } = await runChecked('getfattr', [...flags, ...paths]);
  return new Map(
    stdout
      .toString('utf8')
      .split('\n\n')
      .filter((block) => block.startsWith('# file: '))
      .map((block) => {
        const [title = '', ...values] = block.trim().split('\n');
        return [title.replace('# file: ', ''), values.toSorted().join(' ')];
      }),
  );
}

function isTemporary(path: string): boolean {
  return path.endsWith('.tmp');
}
