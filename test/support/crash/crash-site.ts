// SPDX-License-Identifier: Apache-2.0
// A host's root in a directory, with everything that must survive in it: one image that nobody touches, one
// container, and a vendor's store with a container that runs from it in place. Whoever crashes something here
// asks afterwards: is all of it there, to the byte?
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256 } from '../../../src/base/digest.ts';
import { silentLog } from '../../../src/base/log.ts';
import { StoreLayout } from '../../../src/store/disk/layout.ts';
import { refPath } from '../../../src/store/ref/ref-path.ts';
import { openStore } from '../../../src/store/store.ts';
import { runChecked, runProcess } from '../../../src/sys/process.ts';
import { CRASH_IMAGES, type CrashImage, type CrashRegistry, largeFileOf } from './crash-images.ts';
import { changesBetween, filesBelow, type HostFiles } from '../host/host-files.ts';
import { untilDetached } from '../disk/mounted-image.ts';
import { assertRecorded } from '../trust/read-ledger.ts';
import { SYSCT } from '../host/shipped-sysct.ts';
import { writePolicy } from '../trust/site-policy.ts';
import { assertSound } from './sound-store.ts';

/** What a store and its containers are called to hold. */
export interface Holdings {
  readonly images: ReadonlySet<CrashImage>;
  /** By the image that each is made of; there is at most one for an image. */
  readonly containers: ReadonlySet<CrashImage>;
  /** Those of them that need the vendor's store. */
  readonly inPlace: ReadonlySet<CrashImage>;
}

/** All that the campaigns do to a site. */
export const ACTIONS = [
  ...(['pull', 'install', 'prefetch', 'uninstall', 'rmi', 'gc', 'repair'] as const),
];

export type Action = (typeof ACTIONS)[number];

export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningVerb {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** The files of the images, and of containers made of them, as an undisturbed run leaves them. */
export interface Contents {
  readonly images: ReadonlyMap<CrashImage, HostFiles>;
  readonly containers: ReadonlyMap<CrashImage, HostFiles>;
}

const OWN_STORE = '/var/lib/sysct';

export class CrashSite {
  readonly root: string;
  readonly registry: CrashRegistry;

  /** @param directory the site goes to `root` below it, which may be there from before. */
  constructor(directory: string, registry: CrashRegistry) {
    this.root = join(directory, 'root');
    this.registry = registry;
  }

  get store(): string {
    return join(this.root, OWN_STORE);
  }

  /** A store that the host only reads. */
  get vendorStore(): string {
    return join(this.root, 'usr/lib/sysct/store');
  }

  /** A root that sysct accepts, with nothing in its store. */
  make(): void {
    mkdirSync(join(this.root, 'usr/lib/systemd'), { recursive: true });
    // All that is asked of a root's systemd is its version, which this name tells.
    writeFileSync(join(this.root, 'usr/lib/systemd/libsystemd-shared-252.so'), '');
    writePolicy(this.root, [], this.registry.host);
  }

  /** What is always there: the image `keep`, and the containers of `held` and, from the vendor's store, `shared`. */
  async furnish(): Promise<void> {
    this.make();
    await this.checked(this.lineOf('pull', 'shared'));
    mkdirSync(dirname(this.vendorStore), { recursive: true });
    renameSync(this.store, this.vendorStore);
    await this.checked(this.lineOf('pull', 'keep'));
    await this.checked(this.lineOf('install', 'held'));
    await this.checked(this.lineOf('install', 'shared'));
  }

  /** Takes over all of another site, durably. */
  async copyFrom(site: CrashSite): Promise<void> {
    mkdirSync(dirname(this.root), { recursive: true });
    await runChecked('cp', ['--archive', site.root, this.root]);
    await runChecked('sync', ['--file-system', this.root]);
  }

  /** Has the container of `shared` need the vendor's store, and nothing of it be in the own one. */
  async undoPrefetch(): Promise<void> {
    if (!(await this.holdings()).images.has('shared')) return;
    await this.checked(this.lineOf('uninstall', 'shared'));
    await this.checked(this.lineOf('rmi', 'shared'));
    await this.checked(this.lineOf('install', 'shared'));
  }

  /** The arguments of sysct that do this with an image. */
  lineOf(action: Action, image: CrashImage): readonly string[] {
    const source = this.registry.sourceOf(image);
    switch (action) {
      case 'pull':
        return ['pull', '--quiet', '--tls-verify=false', source];
      case 'install':
        return [
          ...['install', '--quiet', '--launcher', 'chroot', '--tls-verify=false'],
          ...['--name', `on-${image}`, source],
        ];
      case 'prefetch':
      case 'uninstall':
        return [action, '--quiet', `on-${image}`];
      case 'rmi':
        return ['rmi', '--quiet', '--ignore', this.registry.referenceOf(image)];
      case 'gc':
        return ['gc', '--quiet'];
      case 'repair':
        return ['fsck', '--repair', '--tls-verify=false'];
    }
  }

  /** Starts sysct on the root, in a process group of its own. */
  start([verb = '', ...rest]: readonly string[]): RunningVerb {
    const child = spawn(SYSCT, [verb, '--root', this.root, ...rest], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const text = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString('utf8')));
    const ended = once(child, 'close').then(() => ({
      exitCode: child.exitCode ?? undefined,
      ...text,
    }));
    return { child, ended };
  }

  async run(line: readonly string[]): Promise<Ended> {
    return await this.start(line).ended;
  }

  /** As {@link run}; a status other than 0 is an error that holds all it printed. */
  async checked(line: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(line);
    assert.equal(exitCode, 0, `sysct ${line.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Takes an image's name away and nothing else, so that there is something to collect. */
  async forget(image: CrashImage): Promise<void> {
    const store = await openStore(this.store, { log: silentLog });
    const { reference, manifestDigest } = store.findImage(this.registry.referenceOf(image));
    rmSync(join(store.layout.refs, refPath(reference, manifestDigest)));
  }

  /** Flips a byte of a file of the image `keep`. */
  damage(): void {
    const bytes = largeFileOf('keep');
    const path = new StoreLayout(this.store).object(sha256(bytes));
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    writeFileSync(path, bytes);
  }

  /** What the program says is there. */
  async holdings(): Promise<Holdings> {
    const images = JSON.parse(await this.checked(['images', '--json'])) as {
      readonly images: readonly { readonly reference: string; readonly store: string }[];
    };
    const list = JSON.parse(await this.checked(['list', '--json'])) as {
      readonly containers: readonly { readonly name: string; readonly problem?: string }[];
    };
    const references = images.images
      .filter(({ store }) => store === OWN_STORE)
      .map(({ reference }) => reference);
    // What an interrupted install left is shown, and is no container.
    const names = list.containers
      .filter(({ problem }) => problem?.includes('was interrupted') !== true)
      .map(({ name }) => name);
    const containers = CRASH_IMAGES.filter((i) => names.includes(`on-${i}`));
    return {
      images: new Set(
        CRASH_IMAGES.filter((i) => references.includes(this.registry.referenceOf(i))),
      ),
      containers: new Set(containers),
      inPlace: new Set(containers.filter((i) => this.#objectsFor(i).length > 1)),
    };
  }

  /** The files of everything there is, read through mounts as services read them. */
  async contents(): Promise<Contents> {
    const store = await openStore(this.store, { log: silentLog });
    const images = new Map<CrashImage, HostFiles>();
    const containers = new Map<CrashImage, HostFiles>();
    for (const image of CRASH_IMAGES) {
      const ref = store.listRefs().find((r) => r.reference === this.registry.referenceOf(image));
      const { objects } = store.layout;
      if (ref !== undefined) {
        images.set(image, await this.#filesOf(store.layout.image(ref.treeId), [objects]));
      }
      const generation = join(this.store, 'containers', `on-${image}`, 'current');
      if (!existsSync(generation)) continue;
      const rootfs = join(generation, 'rootfs.erofs');
      containers.set(image, await this.#filesOf(rootfs, this.#objectsFor(image)));
    }
    return { images, containers };
  }

  /** Asserts that the store is sound and that all it holds has the bytes it had at first. */
  async assertIntact(expected: Contents): Promise<Holdings> {
    for (const store of [this.store, this.vendorStore]) await assertSound(store);
    await assertRecorded(this.store);
    const { exitCode, stdout, stderr } = await this.run(['fsck']);
    assert.equal(exitCode, 0, `fsck: ${stdout}${stderr}`);
    const holdings = await this.holdings();
    const { images, containers } = await this.contents();
    assert.deepEqual([...images.keys()], [...holdings.images], 'images');
    assert.deepEqual([...containers.keys()], [...holdings.containers], 'containers');
    for (const [image, files] of images)
      assertSame(`image ${image}`, expected.images, image, files);
    for (const [image, files] of containers) {
      assertSame(`container on-${image}`, expected.containers, image, files);
    }
    assert.ok(holdings.images.has('keep'), 'the image that nobody touches is there');
    for (const image of ['held', 'shared'] as const) {
      assert.ok(holdings.containers.has(image), `the container on-${image}, which nobody removes`);
    }
    return holdings;
  }

  /** The directories of dead imports: none, once a writer has been there. */
  debris(): readonly string[] {
    return readdirSync(join(this.store, 'txn'));
  }

  /** Where a container's root has its objects from. */
  #objectsFor(image: CrashImage): readonly string[] {
    const units = join(this.root, 'etc/systemd/system');
    const dropIns = globSync(`*x2d${image}-*.mount.d/*-store.conf`, { cwd: units });
    const stores = dropIns.length === 0 ? [this.store] : [this.store, this.vendorStore];
    return stores.map((store) => join(store, 'objects'));
  }

  async #filesOf(image: string, objects: readonly string[]): Promise<HostFiles> {
    const meta = join(this.root, '..', 'meta');
    const rootfs = join(this.root, '..', 'rootfs');
    for (const directory of [meta, rootfs]) mkdirSync(directory, { recursive: true });
    await runChecked('mount', ['-t', 'erofs', '-o', 'ro,loop', image, meta]);
    const options = `ro,metacopy=on,redirect_dir=on,lowerdir=${[meta, ...objects].join(':')}`;
    try {
      await runChecked('mount', ['-t', 'overlay', '-o', options, 'overlay', rootfs]);
      return filesBelow(rootfs);
    } finally {
      await runProcess('umount', [rootfs]);
      await runChecked('umount', [meta]);
      await untilDetached(image);
    }
  }
}

function assertSame(
  what: string,
  expected: ReadonlyMap<CrashImage, HostFiles>,
  image: CrashImage,
  files: HostFiles,
): void {
  const wanted = expected.get(image);
  assert.ok(wanted !== undefined, `${what} is unknown`);
  assert.deepEqual(changesBetween(wanted, files), [], what);
}

/** What every image and container looks like when nothing goes wrong. */
export async function undisturbed(registry: CrashRegistry, directory: string): Promise<Contents> {
  const site = new CrashSite(directory, registry);
  site.make();
  for (const image of CRASH_IMAGES) await site.checked(site.lineOf('install', image));
  const contents = await site.contents();
  assert.deepEqual([...contents.containers.keys()], CRASH_IMAGES);
  rmSync(site.root, { recursive: true });
  return contents;
}
