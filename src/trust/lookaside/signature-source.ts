// SPDX-License-Identifier: Apache-2.0
import type { AskedPlace } from '../../base/asked-place.ts';

/** A signature as found, nothing of it believed yet. */
export interface CandidateSignature {
  readonly bytes: Buffer;
  /** Where it was found, fit for messages. */
  readonly source: string;
}

/** What a search for signatures brought, for the verdict and for explaining a refusal. */
export interface SignatureSearch {
  readonly candidates: readonly CandidateSignature[];
  readonly places: readonly AskedPlace[];
}
