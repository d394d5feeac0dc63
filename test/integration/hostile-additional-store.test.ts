// SPDX-License-Identifier: Apache-2.0
// An additional store whose publisher has gone bad: whatever it puts under the names that are read, no command
// waits for ever, eats the memory or the disk, or takes in what is not what its name says.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { ByteString } from '../../src/base/byte-string.ts';
import { type Digest, digestHex, sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { ByteWriter } from '../../src/store/disk/byte-writer.ts';
import { layerOfDiffId } from '../../src/store/disk/layer-identity.ts';
import type { LayerEntry } from '../../src/store/layer/layer-entry.ts';
import { LayerFileWriter } from '../../src/store/layer/layer-file-writer.ts';
import { AdditionalStore } from '../../src/store/reader/additional-store.ts';
import { openAdditionalStores } from '../../src/store/reader/open-additional-stores.ts';
import type { RefRecord } from '../../src/store/ref/ref-record.ts';
import { openStore } from '../../src/store/store.ts';
import { HostRoot } from '../../src/sys/host-root.ts';
import { type ProcessResult, runChecked, runProcess } from '../../src/sys/process.ts';
import { noise } from '../support/store/sample-tree.ts';
import { SYSCT_PROGRAM, SYSCT_RUNTIME } from '../support/host/shipped-sysct.ts';
import { assertSound } from '../support/crash/sound-store.ts';
import { importImage, layerBlob } from '../support/store/store-layers.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const NAME = 'registry.example/team/app:1';
const OTHER = 'registry.example/team/sound:1';
const LARGE = noise('large', 200_000);
const LAYER = layerBlob(
  tar(
    { path: 'etc/', type: '5', mode: 0o755 },
    { path: 'etc/small', content: 'a small file\n' },
    { path: 'usr/large', content: LARGE },
  ),
);
const LAYER_ID = layerOfDiffId(LAYER.diffId);
const SOUND = layerBlob(tar({ path: 'sound', content: noise('sound', 3000) }));
const { signal } = new AbortController();

/** Longer than any of these commands takes on a busy machine. */
const HANGS_MS = 300_000;

interface Site {
  readonly root: string;
  readonly vendor: string;
  readonly record: RefRecord;
  sysct(...args: readonly string[]): Promise<ProcessResult>;
}

/** An offline root with an additional store of two images, `spoil`ed. */
async function withVendor(
  spoil: (vendor: string, record: RefRecord) => Promise<void> | void,
  act: (site: Site) => Promise<void>,
): Promise<void> {
  using tmp = temporaryDirectory('hostile-store');
  const root = tmp.directory;
  const vendor = join(root, 'vendor');
  const store = await openStore(vendor, { log: silentLog });
  const record = await importImage(store, NAME, [LAYER]);
  await importImage(store, OTHER, [SOUND]);
  mkdirSync(join(root, 'etc/sysct'), { recursive: true });
  writeFileSync(join(root, 'etc/sysct/sysct.toml'), 'additional-stores = ["/vendor"]\n');
  await spoil(vendor, record);
  const sysct = async (...args: readonly string[]): Promise<ProcessResult> => {
    const [verb = '', ...rest] = args;
    const result = await runProcess(
      SYSCT_RUNTIME,
      ['--max-old-space-size=256', SYSCT_PROGRAM, verb, '--root', root, ...rest],
      { timeoutMs: HANGS_MS },
    );
    assert.equal(result.signal, undefined, `sysct ${args.join(' ')} hangs`);
    assert.doesNotMatch(result.stderr, /internal error/);
    return result;
  };
  await act({ root, vendor, record, sysct });
}

async function fifo(path: string): Promise<void> {
  rmSync(path, { force: true });
  await runChecked('mkfifo', [path]);
}

const refOf = (vendor: string): string => join(vendor, 'refs/registry.example/team/app/:1');
const layerOf = (vendor: string): string => join(vendor, 'layers', digestHex(LAYER.diffId));
const treeOf = (vendor: string, { treeId }: RefRecord): string =>
  join(vendor, 'trees', digestHex(treeId));
function objectOf(vendor: string): string {
  const hex = digestHex(sha256(LARGE));
  return join(vendor, 'objects', hex.slice(0, 2), hex.slice(2));
}

function editRef(vendor: string, members: Readonly<Record<string, unknown>>): void {
  const path = refOf(vendor);
  const record = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...record, ...members }));
}

describe('a hostile additional store, when its images are listed', () => {
  const refs: readonly (readonly [what: string, spoil: (path: string) => Promise<void> | void])[] =
    [
      ['a FIFO', fifo],
      [
        'a socket',
        async (path) => {
          rmSync(path);
          await runChecked('python3', [
            '-c',
            `import socket,os;os.chdir(${JSON.stringify(dirname(path))});socket.socket(socket.AF_UNIX).bind(":1")`,
          ]);
        },
      ],
      [
        'an endless device',
        async (path) => {
          rmSync(path);
          await runChecked('mknod', [path, 'c', '1', '5']);
        },
      ],
      [
        'a link to an endless device',
        (path) => {
          rmSync(path);
          symlinkSync('/dev/zero', path);
        },
      ],
      ['3 GB long', (path) => truncateSync(path, 3e9)],
      ['1 GB long', (path) => truncateSync(path, 1e9)],
      ['nested a million deep', (path) => writeFileSync(path, '['.repeat(1e6))],
      ['a directory that cannot be one', (path) => (rmSync(path), mkdirSync(path))],
    ];
  for (const [what, spoil] of refs) {
    it(`loses the one whose ref is ${what}, and no other`, async () => {
      await withVendor(
        (vendor) => spoil(refOf(vendor)),
        async ({ sysct }) => {
          const { exitCode, stdout, stderr } = await sysct('images', '--quiet', '--names');
          assert.equal(exitCode, 0, stderr);
          assert.equal(stdout.toString(), `${OTHER}\n`);
        },
      );
    });
  }

  it('does not let a ref answer for the name of another', async () => {
    await withVendor(
      (vendor) => {
        mkdirSync(join(vendor, 'refs/registry.example/bank/wallet'), { recursive: true });
        renameSync(refOf(vendor), join(vendor, 'refs/registry.example/bank/wallet/:1'));
      },
      async ({ sysct }) => {
        const { stdout, stderr } = await sysct('images', '--quiet', '--names');
        assert.equal(stdout.toString(), `${OTHER}\n`);
        assert.match(stderr, /wallet\/:1": it is of another name; it is left out/);
      },
    );
  });

  it('does not believe a reference that is none', async () => {
    const edit = (vendor: string): void => {
      editRef(vendor, { reference: '../../etc/\u001b[2Jshadow' });
    };
    await withVendor(edit, async ({ sysct }) => {
      const { exitCode, stdout, stderr } = await sysct('images', '--quiet', '--names');
      assert.equal(exitCode, 0);
      assert.equal(stdout.toString(), `${OTHER}\n`);
      assert.ok(!stderr.includes('\u001b'));
    });
  });

  it('whose format.json is a FIFO is left out', async () => {
    await withVendor(
      (vendor) => fifo(join(vendor, 'format.json')),
      async ({ sysct }) => {
        const { exitCode, stderr } = await sysct('images', '--quiet');
        assert.equal(exitCode, 0);
        assert.match(
          stderr,
          /additional store "\/vendor": .*it is no regular file; it is left out/,
        );
      },
    );
  });
});

describe('a hostile additional store, when an image is installed from it', () => {
  const manifests: readonly (readonly [what: string, text: string, said: RegExp])[] = [
    ['is no manifest', '{}', /schemaVersion/],
    ['is an index of nothing', '{"schemaVersion":2,"manifests":[]}', /linux/],
  ];
  for (const [what, text, said] of manifests) {
    it(`is left out when the manifest there ${what}`, async () => {
      const edit = (vendor: string): void => {
        const digest = sha256(text);
        writeFileSync(join(vendor, 'blobs', 'sha256', digestHex(digest)), text);
        editRef(vendor, { manifestDigest: digest });
      };
      await withVendor(edit, async ({ root, sysct }) => {
        mkdirSync(join(root, 'etc/containers'));
        const policy = '{"default":[{"type":"insecureAcceptAnything"}]}';
        writeFileSync(join(root, 'etc/containers/policy.json'), policy);
        const args = ['--allow-unsigned', '--retry=0', '--name', 'app', NAME];
        const { stderr } = await sysct('install', ...args);
        const [first, ...rest] = stderr.split('\n');
        assert.match(first ?? '', said);
        assert.match(first ?? '', /additional store "\/vendor": .*; it is left out$/);
        assert.match(rest.join('\n'), /registry\.example/);
      });
    });
  }
});

describe('a hostile additional store, when an image is copied from it', () => {
  const cases: readonly (readonly [
    what: string,
    spoil: (vendor: string, record: RefRecord) => Promise<void> | void,
    said: RegExp,
  ])[] = [
    ['a layer that is a FIFO', (vendor) => fifo(layerOf(vendor)), /it is no regular file/],
    ['an object that is a FIFO', (vendor) => fifo(objectOf(vendor)), /it is no regular file/],
    [
      'an object that is a link to an endless device',
      (vendor) => {
        rmSync(objectOf(vendor));
        symlinkSync('/dev/zero', objectOf(vendor));
      },
      /it is no regular file/,
    ],
    [
      'an object that goes on for 200 GB',
      (vendor) => {
        chmodSync(objectOf(vendor), 0o600);
        truncateSync(objectOf(vendor), 200e9);
      },
      /it goes on after 200000 bytes/,
    ],
    [
      'a layer with an entry above the root',
      (vendor) => forge(vendor, [directory('../../etc')]),
      /an entry that no archive can bring, \.\.\/\.\.\/etc/,
    ],
    [
      'a layer with a NUL in a name',
      (vendor) => forge(vendor, [directory('a\0b')]),
      /an entry that no archive can bring, a\\x00b/,
    ],
    [
      'a layer with an xattr of overlayfs',
      (vendor) =>
        forge(vendor, [
          {
            ...directory('etc'),
            xattrs: new Map([
              ['trusted.overlay.redirect' as ByteString, Buffer.from('/../../root')],
            ]),
          },
        ]),
      /an entry that no archive can bring/,
    ],
    [
      'a layer that says two sizes of one content',
      (vendor) => forge(vendor, [file('a', LARGE.length), file('b', LARGE.length - 1)]),
      /an entry that no archive can bring, b/,
    ],
    [
      'a layer with a small file of a terabyte',
      (vendor) =>
        forge(vendor, [
          {
            ...file('a', 0),
            content: {
              kind: 'inline',
              digest: sha256(''),
              sizeBytes: 1e12,
              layer: LAYER_ID.key,
              offset: 16,
            },
          },
        ]),
      /a small file in it is said to have 1000000000000 bytes/,
    ],
    ['a layer with an entry of no kind', forgeBytes, /an entry is of the unknown kind 77/],
  ];
  for (const [what, spoil, said] of cases) {
    it(`is told of ${what}, and nothing of it is kept`, async () => {
      await withVendor(spoil, async ({ root, vendor }) => {
        const warnings: string[] = [];
        const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
        const [from] = await openAdditionalStores([{ path: '/vendor', origin: 'named' }], {
          host: new HostRoot(root),
          local: '/nowhere',
          log,
          signal,
        });
        assert.ok(from instanceof AdditionalStore, vendor);
        const own = await openStore(join(root, 'own'), { log: silentLog });
        {
          await using transaction = await own.beginImport(signal);
          assert.equal(await transaction.copyLayer(LAYER_ID, from), false);
        }
        assert.match(warnings.join('\n'), said);
        assert.deepEqual(readdirSync(own.layout.layers), []);
        assert.deepEqual(readdirSync(own.layout.transactions), []);
        await assertSound(own.layout.directory);
      });
    });
  }

  it('ends a copy of an object that grows while it is read', async () => {
    await withVendor(
      () => {},
      async ({ vendor }) => {
        const path = objectOf(vendor);
        chmodSync(path, 0o600);
        const { verifiedObject } = await import('../../src/store/reader/verified-object.ts');
        const content = { kind: 'object', digest: sha256(LARGE), sizeBytes: LARGE.length } as const;
        let taken = 0;
        assert.throws(
          () => {
            for (const piece of verifiedObject(content, path)) {
              taken += piece.length;
              appendFileSync(path, Buffer.alloc(1024 * 1024));
            }
          },
          { code: 'STORE_DAMAGED' },
        );
        assert.ok(taken <= LARGE.length);
      },
    );
  });
});

describe('a hostile additional store, when a tree is read', () => {
  it('does not decide by a count how much memory is asked for', async () => {
    await withVendor(
      () => {},
      async ({ vendor, record }) => {
        const store = await openStore(vendor, { log: silentLog });
        const path = treeOf(vendor, record);
        const bytes = readFileSync(path);
        // inodeCount and nameCount; then the sum over the front is made right again.
        bytes.writeUInt32LE(0xffffffff, 32);
        bytes.writeUInt32LE(0xffffffff, 36);
        const needs = bytes.readUInt32LE(12) + Number(bytes.readBigUInt64LE(16));
        const sumAt = 72 + needs * 32;
        createHash('sha256').update(bytes.subarray(0, sumAt)).digest().copy(bytes, sumAt);
        writeFileSync(path, bytes);
        assert.throws(() => store.readTree(record.treeId), {
          code: 'STORE_DAMAGED',
          message: /it has fewer inodes than it says/,
        });
      },
    );
  });

  it('is not waited for when it is a FIFO', async () => {
    await withVendor(
      (vendor, record) => fifo(treeOf(vendor, record)),
      async ({ vendor, record }) => {
        const script = `
          const { openStore } = await import(process.argv[1]);
          const store = await openStore(process.argv[2], { log: console });
          try { store.readTree(process.argv[3]); } catch (error) { console.log(error.code); }`;
        const { stdout, signal: killed } = await runProcess(
          process.execPath,
          [
            ...['--input-type=module', '--eval', script],
            ...[join(import.meta.dirname, '../../src/store/store.ts'), vendor, record.treeId],
          ],
          { timeoutMs: HANGS_MS },
        );
        assert.equal(killed, undefined);
        assert.equal(stdout.toString(), 'STORE_DAMAGED\n');
      },
    );
  });
});

describe('an additional store that others could replace', () => {
  const cases: readonly (readonly [
    what: string,
    open: (way: string, vendor: string) => void,
    said: RegExp,
  ])[] = [
    [
      'lies in a directory of another user',
      (way) => chownSync(way, 12, 12),
      /others than root can write ".*\/way" and so put another one in its place; it is left out$/,
    ],
    [
      'lies in a directory that all can write',
      (way) => chmodSync(way, 0o777),
      /others than root can write ".*\/way" and so put another one in its place/,
    ],
    [
      'has trees that all can write',
      (_, vendor) => chmodSync(join(vendor, 'trees'), 0o777),
      /: others than root can write it; it is left out$/,
    ],
    [
      'has refs of another user',
      (_, vendor) => chownSync(join(vendor, 'refs'), 12, 12),
      /: others than root can write it; it is left out$/,
    ],
  ];
  for (const [what, open, said] of cases) {
    it(`because it ${what} is left out`, async () => {
      using tmp = temporaryDirectory('replaced-store');
      const way = join(tmp.directory, 'way');
      const vendor = join(way, 'vendor');
      await importImage(await openStore(vendor, { log: silentLog }), NAME, [LAYER]);
      const warnings: string[] = [];
      const find = async (): Promise<number> => {
        const stores = await openAdditionalStores([{ path: vendor, origin: 'named' }], {
          host: new HostRoot('/'),
          local: '/nowhere',
          log: { ...silentLog, warn: (line) => void warnings.push(line) },
          signal,
        });
        return stores.length;
      };
      assert.equal(await find(), 1, warnings.join());
      open(way, vendor);
      assert.equal(await find(), 0);
      assert.match(warnings.join(), said);
    });
  }

  it('because a directory on the way is sticky is not left out', async () => {
    using tmp = temporaryDirectory('sticky-store');
    const way = join(tmp.directory, 'way');
    await importImage(await openStore(join(way, 'vendor'), { log: silentLog }), NAME, [LAYER]);
    chmodSync(way, 0o1777);
    const stores = await openAdditionalStores([{ path: join(way, 'vendor'), origin: 'named' }], {
      host: new HostRoot('/'),
      local: '/nowhere',
      log: silentLog,
      signal,
    });
    assert.equal(stores.length, 1);
    assert.ok(existsSync(way));
  });
});

const ATTRIBUTES = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  xattrs: new Map<ByteString, Buffer>(),
};

function directory(path: string): Extract<LayerEntry, { kind: 'directory' }> {
  return { kind: 'directory', path: path as ByteString, ...ATTRIBUTES };
}

function file(path: string, sizeBytes: number): Extract<LayerEntry, { kind: 'file' }> {
  const digest: Digest = sha256(LARGE);
  const content = { kind: 'object', digest, sizeBytes } as const;
  return { kind: 'file', path: path as ByteString, content, ...ATTRIBUTES };
}

/** Writes these entries in place of the layer's, with all the sums right. */
function forge(vendor: string, entries: readonly LayerEntry[]): void {
  rmSync(layerOf(vendor));
  using writer = new LayerFileWriter(layerOf(vendor), LAYER_ID);
  for (const entry of entries) writer.add(entry);
  writer.finish();
}

function forgeBytes(vendor: string): void {
  const header = new ByteWriter();
  header.bytes(Buffer.from('sysctlyr', 'latin1'));
  header.uint32(1);
  header.uint32(0);
  const head = Buffer.from(header.written());
  const entries = Buffer.from([77, 0, 1, 0x61, 0, 0, 0, 0, 0, 0]);
  const trailer = new ByteWriter();
  trailer.uint64(head.length);
  trailer.uint64(1);
  trailer.digest(LAYER.diffId);
  const fields = Buffer.from(trailer.written());
  const sum = createHash('sha256').update(head).update(entries).update(fields).digest();
  rmSync(layerOf(vendor));
  const fd = openSync(layerOf(vendor), 'wx', 0o600);
  writeSync(fd, Buffer.concat([head, entries, fields, sum]));
  closeSync(fd);
}
