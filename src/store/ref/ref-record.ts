// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../../base/digest.ts';
import { quote } from '../../base/printable.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import { type LayerIdentity, layerOfDiffId, layerOfToc } from '../disk/layer-identity.ts';
import { StoreError } from '../disk/store-error.ts';

/**
 * Version 2 is that of an image with a layer that only its table of contents proves: a sysct that takes every layer
 * for what its diffID says must not read it. All others have version 1.
 */
export const REF_VERSION = 2;

export interface RefLayer {
  /** Of the blob as it was fetched. */
  readonly digest: Digest;
  /** As the config names it. */
  readonly diffId: Digest;
  /** Of the blob. */
  readonly sizeBytes: number;
  /** Of the table of contents that the layer was made of, unseen whether its archive has the diffID; absent where it has. */
  readonly tocDigest?: Digest;
}

/** Which layer of the store it is. */
export function identityOf({
  diffId,
  tocDigest,
}: Pick<RefLayer, 'diffId' | 'tocDigest'>): LayerIdentity {
  return tocDigest === undefined ? layerOfDiffId(diffId) : layerOfToc(tocDigest);
}

export interface RefSignature {
  /** Names the blob that holds its exact bytes. */
  readonly digest: Digest;
  /** URL or path where it was found, credentials removed. */
  readonly source: string;
  /** The index that it was looked at for; absent for the manifest of the image itself. */
  readonly manifestDigest?: Digest;
}

/** What a name in the store stands for: one verified image, and why it was let in. */
export interface RefRecord {
  /** Fully expanded, with a tag or a digest; undefined for an image that came without a name. */
  readonly reference: string | undefined;
  /** Where it was pulled from, as the user would write it: `docker://quay.io/coreos/etcd:v3.5`. */
  readonly source: string;
  readonly manifestDigest: Digest;
  /** The index that the manifest was chosen from. */
  readonly indexDigest: Digest | undefined;
  /** Digest of the config. */
  readonly imageId: Digest;
  readonly treeId: Digest;
  /** Bottom to top. */
  readonly layers: readonly RefLayer[];
  readonly signatures: readonly RefSignature[];
  /** Bytes of all files of the tree, hard links counted once. */
  readonly contentBytes: number;
  /** A verdict of the trust room, as it came. */
  readonly verdict: JsonObject;
  /** RFC 3339. */
  readonly pulledAt: string;
}

/** What a commit needs to know of a record; the rest is worked out. */
export type NewRef = Omit<RefRecord, 'treeId' | 'contentBytes' | 'verdict'> & {
  /** Anything that JSON can hold. */
  readonly verdict: object;
};

/** The record of `ref`, whose tree is known now. */
export function completeRef(
  ref: NewRef,
  { treeId, contentBytes }: Pick<RefRecord, 'treeId' | 'contentBytes'>,
): RefRecord {
  const verdict = parseStrictJsonValue(JSON.stringify(ref.verdict), 'verdict') as JsonObject;
  return { ...ref, treeId, contentBytes, verdict };
}

const KEYS: ReadonlySet<string> = new Set([
  'version',
  'reference',
  'source',
  'manifestDigest',
  'indexDigest',
  'imageId',
  'treeId',
  'layers',
  'signatures',
  'contentBytes',
  'verdict',
  'pulledAt',
]);

/**
 * Parses the text of a file in `refs/`; strict: unknown keys are refused.
 * @throws StoreError STORE_DAMAGED, or FORMAT_TOO_NEW
 */
export function parseRefRecord(text: string, what: string): RefRecord {
  const fields = objectOf(parsed(text, what), what);
  const version = fields['version'];
  if (typeof version === 'number' && version > REF_VERSION) {
    throw new StoreError('FORMAT_TOO_NEW', `reading ${what}: it has version ${version}`, {
      hint: 'update sysct',
    });
  }
  const stranger = Object.keys(fields).find((key) => !KEYS.has(key));
  if (stranger !== undefined) throw damaged(what, `it has the unknown key ${quote(stranger)}`);
  if (version !== 1 && version !== REF_VERSION) throw damaged(what, 'it has no version');
  const { reference, indexDigest } = fields;
  return {
    reference: reference === undefined ? undefined : textOf(reference, `${what}: reference`),
    source: textOf(fields['source'], `${what}: source`),
    manifestDigest: digestOf(fields['manifestDigest'], `${what}: manifestDigest`),
    indexDigest:
      indexDigest === undefined ? undefined : digestOf(indexDigest, `${what}: indexDigest`),
    imageId: digestOf(fields['imageId'], `${what}: imageId`),
    treeId: digestOf(fields['treeId'], `${what}: treeId`),
    layers: listOf(fields['layers'], `${what}: layers`).map((layer, n) =>
      layerOf(layer, version, `${what}: layers[${n}]`),
    ),
    signatures: listOf(fields['signatures'], `${what}: signatures`).map((signature, n) =>
      signatureOf(signature, `${what}: signatures[${n}]`),
    ),
    contentBytes: sizeOf(fields['contentBytes'], `${what}: contentBytes`),
    verdict: objectOf(fields['verdict'], `${what}: verdict`),
    pulledAt: textOf(fields['pulledAt'], `${what}: pulledAt`),
  };
}

/** The text of a file in `refs/`. */
export function printRefRecord(record: RefRecord): string {
  const version = record.layers.some(({ tocDigest }) => tocDigest !== undefined) ? REF_VERSION : 1;
  return `${JSON.stringify({ version, ...record }, undefined, 2)}\n`;
}

function layerOf(value: JsonValue, version: 1 | typeof REF_VERSION, what: string): RefLayer {
  const fields = objectOf(value, what);
  const { tocDigest } = fields;
  if (tocDigest !== undefined && version === 1)
    throw damaged(what, 'it has no tocDigest in version 1');
  return {
    digest: digestOf(fields['digest'], what),
    diffId: digestOf(fields['diffId'], what),
    sizeBytes: sizeOf(fields['sizeBytes'], what),
    ...(tocDigest !== undefined && { tocDigest: digestOf(tocDigest, what) }),
  };
}

function signatureOf(value: JsonValue, what: string): RefSignature {
  const fields = objectOf(value, what);
  const { manifestDigest } = fields;
  return {
    digest: digestOf(fields['digest'], what),
    source: textOf(fields['source'], what),
    ...(manifestDigest !== undefined && { manifestDigest: digestOf(manifestDigest, what) }),
  };
}

function parsed(text: string, what: string): JsonValue {
  try {
    return parseStrictJsonValue(text, what);
  } catch (cause) {
    throw new StoreError('STORE_DAMAGED', `reading ${what}: it is not JSON`, { cause, hint: HINT });
  }
}

function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw damaged(what, 'it is not an object');
}

function listOf(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  throw damaged(what, 'it is not a list');
}

function textOf(value: JsonValue | undefined, what: string): string {
  if (typeof value === 'string') return value;
  throw damaged(what, 'it is not a text');
}

function digestOf(value: JsonValue | undefined, what: string): Digest {
  if (isDigest(value)) return value;
  throw damaged(what, 'it is not a digest');
}

function sizeOf(value: JsonValue | undefined, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw damaged(what, 'it is not a number of bytes');
}

const HINT = 'pull the image again, or remove the file if it is not wanted any more';

function damaged(what: string, reason: string): StoreError {
  return new StoreError('STORE_DAMAGED', `reading ${what}: ${reason}`, { hint: HINT });
}
