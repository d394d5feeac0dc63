// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import { printableJson } from '../../base/printable.ts';
import type { Verdict } from '../../trust/verdict/verdict.ts';

/** The verbs whose decisions are kept. */
export type DecidingVerb = 'pull' | 'install' | 'prefetch' | 'run' | 'verify';

/** What the gate said of one image once, and for what. */
export interface Decision {
  /** RFC 3339. */
  readonly at: string;
  readonly verb: DecidingVerb;
  /** As the user would write it: `docker://quay.io/coreos/etcd:v3.5`. */
  readonly source: string;
  /** Whether it was judged as its source has it now, or by what was kept of it in a store. */
  readonly judged: 'at-source' | 'as-stored';
  /** The installed container whose image was judged. */
  readonly container: string | undefined;
  readonly indexDigest: Digest | undefined;
  readonly verdict: Verdict;
}

/** The version of a line. It changes when a reader would misunderstand what is there; keys may be added without. */
export const DECISION_VERSION = 1;

/** What comes from outside may be long; a line stays below some 100 KiB. */
const LONGEST_TEXT = 1024;
const LONGEST_LIST = 32;

/**
 * The line of the ledger for a decision, with its line feed: one JSON object, safe to print. Longer texts and lists than people
 * read are cut.
 */
export function printDecision({ verdict, ...decision }: Decision): string {
  const { manifestDigest, ...rest } = verdict;
  const line = { version: DECISION_VERSION, ...decision, manifestDigest, verdict: rest };
  return printableJson(`${JSON.stringify(line, (_key, value: unknown) => shortened(value))}\n`);
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string' && value.length > LONGEST_TEXT) {
    return `${value.slice(0, LONGEST_TEXT)}…`;
  }
  return Array.isArray(value) && value.length > LONGEST_LIST
    ? [...(value as unknown[]).slice(0, LONGEST_LIST), `and ${value.length - LONGEST_LIST} more`]
    : value;
}
