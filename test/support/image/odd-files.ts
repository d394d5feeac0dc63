// SPDX-License-Identifier: Apache-2.0
import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../../src/sys/process.ts';
import { noise } from '../store/sample-tree.ts';

const BLOCK = 4096;

/** File sizes at which the EROFS image or the store does something else than one byte before or after. */
export const EDGE_SIZES = [
  [0, 1, 63, 64, 65, 511, 512, 513, 2047, 2048, 2049, 3000],
  [-97, -65, -64, -33, -32, -1, 0, 1].map((more) => BLOCK + more),
  [2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 65_535, 65_536, 65_537, 1 << 20],
].flat();

/**
 * Fills the empty `directory`, on a file system with xattrs, as root, with one of everything that a
 * tar archive of a root file system can hold.
 */
export async function makeOddFiles(directory: string): Promise<void> {
  const at = (path: string): string => join(directory, path);
  const write = (path: string, bytes: Buffer | string = path): void => {
    writeFileSync(at(path), bytes);
  };
  for (const name of ['bin', 'sizes', 'many', 'names', 'links', 'times', 'xattrs', 'dev', 'ab']) {
    mkdirSync(at(name));
  }

  for (const size of EDGE_SIZES) write(`sizes/${size}`, noise(String(size), size));
  for (const size of EDGE_SIZES) write(`sizes/${size}.twin`, noise(String(size), size));

  for (let index = 0; index < 5300; index += 1)
    write(`many/${'x'.repeat(index % 40)}-${index}`, '');
  mkdirSync(at('many-directories'));
  for (let index = 0; index < 300; index += 1) mkdirSync(at(`many-directories/${index}`));
  mkdirSync(at(Array.from({ length: 60 }, (_, depth) => `deep-${depth}`).join('/')), {
    recursive: true,
  });

  // The names of the store's own directories, and what overlay gives a meaning to.
  write('ab/inside');
  write('cd');
  symlinkSync('ab', at('ef'));
  write('.wh');

  const oddNames: readonly Buffer[] = [
    Buffer.from([0x63, 0x61, 0x66, 0xe9]),
    Buffer.from([0xff, 0xfe]),
    ...['é-composed', 'é-decomposed', 'File', 'file', ' ', 'back\\slash', 'new\nline'].map((name) =>
      Buffer.from(name),
    ),
    ...["quo'te", 'dou"ble', '-dash', '#hash', '=equals', '\x01', '\x7f', 'n'.repeat(255)].map(
      (name) => Buffer.from(name),
    ),
  ];
  for (const name of oddNames) {
    writeFileSync(Buffer.concat([Buffer.from(`${at('names')}/`), name]), name);
  }

  write('bin/setuid', noise('setuid', 10_000));
  chmodSync(at('bin/setuid'), 0o4755);
  write('bin/setgid');
  chmodSync(at('bin/setgid'), 0o2711);
  write('bin/none');
  chmodSync(at('bin/none'), 0o000);
  mkdirSync(at('bin/sticky'));
  chmodSync(at('bin/sticky'), 0o1777);
  mkdirSync(at('bin/closed'));
  write('bin/closed/inside');
  chmodSync(at('bin/closed'), 0o000);

  symlinkSync('t'.repeat(4095), at('links/longest'));
  for (const length of [1, 59, 60, 61, 255, 1000, 2048, 3900, 4000, 4031, 4032, 4033]) {
    symlinkSync('s'.repeat(length), at(`links/${length}`));
  }
  symlinkSync('../../..', at('links/up'));
  symlinkSync('/etc/passwd', at('links/absolute'));
  write('links/small', 'small');
  write('links/large', noise('links', 9000));
  for (const [from, to] of [
    ['links/small', 'links/small-2'],
    ['links/small', 'a-small-elsewhere'],
    ['links/large', 'links/large-2'],
    ['links/large', 'z-large-elsewhere'],
    ['links/up', 'links/up-2'],
  ] as const) {
    linkSync(at(from), at(to));
  }

  await runChecked('sh', ['-euc', NODES_OWNERS_XATTRS], { cwd: directory });
  linkSync(at('dev/fifo'), at('dev/fifo-2'));
  linkSync(at('dev/null'), at('dev/null-2'));
  setTimes(directory, at, write);
  await runChecked('sh', ['-euc', EXACT_TIMES], { cwd: directory });
}

const NODES_OWNERS_XATTRS = `
mknod -m 666 dev/null c 1 3
mknod -m 660 dev/highest c 511 1048575
mknod -m 600 dev/sda b 8 0
mkfifo -m 640 dev/fifo
chown 1:2 bin/setgid
chown -h 3:4 links/1
chown 65535:65535 cd
chown 65536:4294967294 .wh
chown 100000:100001 dev/sda many/-0
chown 7:8 bin/setuid && chmod 4755 bin/setuid
printf 'capable' >xattrs/capable; setcap cap_net_raw,cap_setuid+ep xattrs/capable
printf '%20000s' capable >xattrs/large; setcap cap_sys_admin+ep xattrs/large
for name in one two; do printf "$name" >xattrs/$name; setfattr -n user.shared -v same xattrs/$name; done
setfattr -n user.binary -v 0x000aff3d5c22 xattrs/one
setfattr -n user.long -v 0x$(printf '%03000d' 0) xattrs/two
setfattr -n trusted.note -v kept xattrs/two
setfattr -n "user.$(printf '%0200d' 1)" -v long-name xattrs/large
printf crowd >xattrs/crowd; printf crowd >xattrs/crowd-2
for number in $(seq 140); do setfattr -n user.n$number -v $number xattrs/crowd xattrs/crowd-2; done
mkdir xattrs/directory; setfattr -n user.of -v directory xattrs/directory
setfattr -h -n trusted.of -v symlink links/60
setfattr -n trusted.of -v device dev/null
setfattr -n user.of -v root .
`;

function setTimes(
  directory: string,
  at: (path: string) => string,
  write: (path: string) => void,
): void {
  for (const name of ['negative', 'epoch', 'far', 'one', 'fraction', 'negative-fraction', 'tiny']) {
    write(`times/${name}`);
  }
  lutimesSync(at('times/negative'), -1, -1);
  lutimesSync(at('times/epoch'), 0, 0);
  lutimesSync(at('times/far'), 10_413_792_000, 10_413_792_000);
  lutimesSync(at('times/one'), 1, 1);
  lutimesSync(at('links/1'), 86_400, 86_400);
  lutimesSync(at('dev/null'), 500_000_000, 500_000_000);
  lutimesSync(directory, 1_600_000_000, 1_600_000_000);
}

const EXACT_TIMES = `
touch -d @1633950376.123456789 times/fraction
touch -d @-1.25 times/negative-fraction
touch -d @0.000000001 times/tiny
touch -h -d @1633950376.987654321 links/59
touch -d @1700000000.000000001 dev/fifo bin/closed
`;
