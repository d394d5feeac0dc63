// SPDX-License-Identifier: Apache-2.0
import { statfsSync } from 'node:fs';
import { ProcessError, runProcess } from './process.ts';

/** What fs-verity says of one file; `digest` is its measurement (sha256 over 4 KiB blocks, no salt). */
export type VerityState =
  | { readonly kind: 'sealed'; readonly digest: Buffer }
  /** It has no seal (after {@link measureFiles}), or could not be given one. */
  | { readonly kind: 'unsealed'; readonly errno: number };

/** One answer a file, in order. */
export type VerityAnswer =
  | { readonly supported: true; readonly states: readonly VerityState[] }
  | { readonly supported: false; readonly reason: string };

/**
 * Seals files for good: from here on the kernel refuses every write to them, and checks what it reads
 * from the disk. A file that is sealed already is measured. Nobody may have them open for writing. They
 * are durable, the seal included, after the next syncfs.
 */
export async function sealFiles(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<VerityAnswer> {
  return await ask('seal', paths, signal);
}

/** Measures sealed files. Stops at the first that cannot be, and gives as many answers. */
export async function measureFiles(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<VerityAnswer> {
  return await ask('measure', paths, signal);
}

/** True for file systems that know fs-verity in some kernel: ext4, btrfs and f2fs. Asks no program. */
export function mayHaveVerity(directory: string): boolean {
  return VERITY_FILE_SYSTEMS.has(statfsSync(directory).type);
}

const VERITY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0xef53, 0x9123683e, 0xf2f52010]);

// Node has no ioctl(2). One process of perl for 20,000 files costs 40 µs a file on two busy cores, one of
// python3 90 µs, a process for each file, as fsverity(1) would need to seal them, 3 ms (docs/adr/0113).
// perl-base is essential on Debian; python3 is there on Fedora and its like.
//
// FS_IOC_ENABLE_VERITY  0x40806685  version 1 · sha256 (1) · 4096-byte blocks · no salt, no signature
// FS_IOC_MEASURE_VERITY 0xc0046686  algorithm u16 · digest size u16 · digest
//
// Paths come on stdin, each ended by a NUL; a line a file goes out: 64 hex digits, or an errno.

const PERL = `
$/ = "\\0"; $| = 0;
my $seal = $ARGV[0] eq "seal"; @ARGV = ();
my $enable = pack("L4QL2QQ11", 1, 1, 4096, 0, 0, 0, 0, 0, (0) x 11);
while (my $path = <STDIN>) {
  chomp $path;
  my $errno = 0; my $digest = "";
  if (open(my $file, "<", $path)) {
    $errno = $!+0 if $seal && !ioctl($file, 0x40806685, $enable) && $!{EEXIST} == 0;
    if (!$errno) {
      my $measure = pack("S2", 0, 32) . ("\\0" x 32);
      if (ioctl($file, 0xc0046686, $measure)) { $digest = unpack("H*", substr($measure, 4, 32)) }
      else { $errno = $!+0 }
    }
    close $file;
  } else { $errno = $!+0 }
  print $digest eq "" ? $errno : $digest, "\\n";
  last if $digest eq "" && (!$seal || $errno == 25 || $errno == 95);
}`;

const PYTHON = `
import errno, fcntl, os, struct, sys
seal = sys.argv[1] == "seal"
enable = struct.pack("=4LQ2LQ11Q", 1, 1, 4096, 0, 0, 0, 0, 0, *([0] * 11))
for path in sys.stdin.buffer.read().split(b"\\0")[:-1]:
    code, digest = 0, ""
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            if seal:
                try:
                    fcntl.ioctl(file, 0x40806685, enable)
                except OSError as error:
                    if error.errno != errno.EEXIST: raise
            measure = bytearray(struct.pack("=2H", 0, 32) + bytes(32))
            fcntl.ioctl(file, 0xc0046686, measure)
            digest = measure[4:36].hex()
        finally:
            os.close(file)
    except OSError as error:
        code = error.errno
    print(digest or code)
    if not digest and (not seal or code in (25, 95)): break
`;

interface Tool {
  readonly command: string;
  readonly args: readonly string[];
}

const TOOLS: readonly Tool[] = [
  { command: 'perl', args: ['-MErrno', '-e', PERL] },
  { command: 'python3', args: ['-c', PYTHON] },
];

/** ENOTTY and EOPNOTSUPP: the kernel, or the file system as it was made, has no fs-verity. */
const UNSUPPORTED: ReadonlySet<number> = new Set([25, 95]);

async function ask(
  action: 'seal' | 'measure',
  paths: readonly string[],
  signal: AbortSignal,
): Promise<VerityAnswer> {
  if (paths.length === 0) return { supported: true, states: [] };
  const input = Buffer.from(paths.map((path) => `${path}\0`).join(''));
  for (const { command, args } of TOOLS) {
    try {
      const { exitCode, stdout, stderr } = await runProcess(command, [...args, action], {
        input,
        signal,
      });
      const states = parse(stdout.toString('latin1'));
      if (exitCode !== 0 || states.length === 0) {
        throw new ProcessError(
          'PROCESS_FAILED',
          `asking for fs-verity by ${command}: it exited with ${exitCode}: ${stderr.trim()}`,
        );
      }
      const last = states.at(-1);
      if (last?.kind === 'unsealed' && UNSUPPORTED.has(last.errno)) {
        return { supported: false, reason: 'the file system or the kernel has no fs-verity' };
      }
      return { supported: true, states };
    } catch (error) {
      if (!(error instanceof ProcessError && error.code === 'PROCESS_MISSING')) throw error;
    }
  }
  return { supported: false, reason: 'there is neither perl nor python3 to ask the kernel with' };
}

function parse(text: string): VerityState[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) =>
      line.length === 64
        ? { kind: 'sealed', digest: Buffer.from(line, 'hex') }
        : { kind: 'unsealed', errno: Number(line) },
    );
}
