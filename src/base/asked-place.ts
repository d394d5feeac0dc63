// SPDX-License-Identifier: Apache-2.0

/** A place that was asked for signatures: `https://…/signature-1`, and its answer: `404`, `2 signatures`. */
export interface AskedPlace {
  readonly place: string;
  readonly answer: string;
}
