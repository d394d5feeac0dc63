// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { byteStringOf } from '../../base/byte-string.ts';
import { digestHex, sha256 } from '../../base/digest.ts';
import { printable } from '../../base/printable.ts';
import { isJsonObject, InvalidJsonError, parseStrictJsonValue } from '../../base/strict-json.ts';
import { isErrno, messageOf } from '../../base/sysct-error.ts';
import { writeFileDurably } from '../../sys/durable-file.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { ProcessError, type ProcessResult, runProcess } from '../../sys/process.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import type { CheckoutSupport, OverlayForm } from './checkout-support.ts';
import { writeErofsImage } from '../erofs/write-erofs-image.ts';
import type { FileContent } from '../tree/inode.ts';
import { DEFAULT_DIRECTORY, ROOT, Tree } from '../tree/tree.ts';
import { overlayOptions } from './overlay-options.ts';
import { layerOfDiffId } from '../disk/layer-identity.ts';

export interface CheckoutProbeOptions {
  /** `objects/` of the store that would be a layer; must exist. */
  readonly objects: string;
  /** `objects/` of an additional store that would be a layer under it. */
  readonly additional?: string | undefined;
  /** Holds the result for this boot; created if need be. `/run/sysct` on a host. */
  readonly runtimeDirectory: string;
  readonly signal: AbortSignal;
}

/**
 * Finds out by doing: mounts a tiny image and an overlay of it over the store's own object
 * directory, in a mount namespace of its own that vanishes with the probe, and reads files through
 * it. A success is remembered until the next boot; a failure is tried again each time. Never
 * throws for want of support: that is the value `plain-tree` with the reason.
 */
export async function probeCheckout(options: CheckoutProbeOptions): Promise<CheckoutSupport> {
  const memory = join(options.runtimeDirectory, memoryFile(options.additional));
  const bootID = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const known = recall(memory, bootID, options.objects);
  if (known !== undefined) return { method: 'erofs-overlay', ...known, reason: TRIED };
  let scratch: string;
  try {
    makeDirectories(options.runtimeDirectory, 0o755);
    scratch = mkdtempSync(join(options.runtimeDirectory, 'probe-'));
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    return { method: 'plain-tree', reason: `mounting needs root: ${printable(messageOf(error))}` };
  }
  try {
    writeSample(scratch);
    const failures: string[] = [];
    for (const form of ['plain-lower', 'data-only'] as const) {
      const failure = await tryForm(form, scratch, options);
      if (failure === undefined) {
        const verity = await enforcesVerity(form, scratch, options);
        const remembered = JSON.stringify({ bootID, objects: options.objects, form, verity });
        writeFileDurably(memory, `${remembered}\n`, 0o600);
        return { method: 'erofs-overlay', form, verity, reason: TRIED };
      }
      failures.push(failure);
    }
    return { method: 'plain-tree', reason: failures[0] ?? 'no form of overlay works' };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

// The host's own store alone is asked about most often; each additional store has a memory of its own.
function memoryFile(additional: string | undefined): string {
  if (additional === undefined) return 'checkout-probe.json';
  return `checkout-probe-${digestHex(sha256(additional)).slice(0, 12)}.json`;
}

const TRIED = 'an image and an overlay were mounted and read here';

interface Remembered {
  readonly form: OverlayForm;
  readonly verity: boolean;
}

function recall(memory: string, bootID: string, objects: string): Remembered | undefined {
  try {
    const value = parseStrictJsonValue(readFileSync(memory, 'utf8'), memory);
    if (!isJsonObject(value) || value['bootID'] !== bootID || value['objects'] !== objects) {
      return undefined;
    }
    const { form, verity } = value;
    if (typeof verity !== 'boolean') return undefined;
    return form === 'plain-lower' || form === 'data-only' ? { form, verity } : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES') || error instanceof InvalidJsonError) return undefined;
    throw error;
  }
}

const LARGE = 'a file of the object layer\n';
const SMALL = 'a file of the image\n';

// Mounts stay in the namespace of `unshare`, and go with it.
const SCRIPT = `
set -eu
cd "$1"
mount -t erofs -o ro image meta
mount -t overlay -o "$2" overlay root
test "$(cat root/large)" = "$3" || { echo "overlay does not follow redirects into the object layer" >&2; exit 1; }
test "$(cat root/small)" = "$4" || { echo "files of the image read wrong" >&2; exit 1; }
test "$(ls -A root | tr '\\n' ' ')" = "large small " || { echo "overlay shows the object layer" >&2; exit 1; }
`;

// The sample's object has no seal: an overlay that requires one must not show it.
const VERITY_SCRIPT = `
set -eu
cd "$1"
mount -t erofs -o ro image meta
mount -t overlay -o "$2,verity=require" overlay root
test "$(cat root/small)" = "$3"
! cat root/large
`;

async function enforcesVerity(
  form: OverlayForm,
  scratch: string,
  { objects, signal }: CheckoutProbeOptions,
): Promise<boolean> {
  const layers = [join(scratch, 'objects'), objects];
  const options = overlayOptions(form, join(scratch, 'meta'), layers).join(',');
  const { exitCode } = await inOwnMounts(
    [VERITY_SCRIPT, 'probe', scratch, options, SMALL.trimEnd()],
    signal,
  );
  return exitCode === 0;
}

async function inOwnMounts(script: readonly string[], signal: AbortSignal): Promise<ProcessResult> {
  const flags = ['--mount', '--propagation', 'private', 'sh', '-c'];
  return await runProcess('unshare', [...flags, ...script], { signal });
}

/** @returns why the form does not work here, or undefined. */
async function tryForm(
  form: OverlayForm,
  scratch: string,
  { objects, additional, signal }: CheckoutProbeOptions,
): Promise<string | undefined> {
  try {
    const layers = [
      join(scratch, 'objects'),
      objects,
      ...(additional === undefined ? [] : [additional]),
    ];
    const options = overlayOptions(form, join(scratch, 'meta'), layers).join(',');
    const script = [SCRIPT, 'probe', scratch, options, LARGE.trimEnd(), SMALL.trimEnd()];
    const { exitCode, stderr } = await inOwnMounts(script, signal);
    if (exitCode === 0) return undefined;
    return printable(stderr.trim().split('\n')[0] ?? '') || `the probe ended with ${exitCode}`;
  } catch (error) {
    if (error instanceof ProcessError || error instanceof CheckoutError) return error.message;
    throw error;
  }
}

function writeSample(scratch: string): void {
  for (const name of ['meta', 'root', 'objects']) mkdirSync(join(scratch, name), { mode: 0o700 });
  const hex = digestHex(sha256(LARGE));
  mkdirSync(join(scratch, 'objects', hex.slice(0, 2)), { mode: 0o700 });
  writeFileSync(join(scratch, 'objects', hex.slice(0, 2), hex.slice(2)), LARGE, { mode: 0o400 });
  const fd = openSync(join(scratch, 'image'), 'wx', 0o600);
  try {
    writeErofsImage(sampleTree(), fd, { readInline: () => Buffer.from(SMALL) });
  } finally {
    closeSync(fd);
  }
}

function sampleTree(): Tree {
  const tree = new Tree();
  const layer = layerOfDiffId(sha256('')).key;
  add('large', { kind: 'object', digest: sha256(LARGE), sizeBytes: LARGE.length });
  const sizeBytes = SMALL.length;
  add('small', { kind: 'inline', digest: sha256(SMALL), sizeBytes, layer, offset: 0 });
  return tree;

  function add(name: string, content: FileContent): void {
    const attributes = { ...DEFAULT_DIRECTORY, mode: 0o644 };
    tree.setChild(ROOT, byteStringOf(name), tree.addFile(attributes, content));
  }
}
