// SPDX-License-Identifier: Apache-2.0

/**
 * Follows the text that a template makes, from its first byte to its last, and writes values into
 * it. One instance serves one rendering.
 */
export interface Escaper {
  /** The template's own bytes (one character a byte) that come next. */
  pass(text: string): void;
  /**
   * The value as it is to stand here.
   * @param following the template's own text behind the variable: empty at the end of the template,
   *   undefined when another variable comes next.
   */
  escape(name: string, value: string, following: string | undefined): EscapedValue;
}

export type EscapedValue =
  | { readonly kind: 'escaped'; readonly text: string }
  /** `reason` completes the sentence “the value … of NAME”. */
  | { readonly kind: 'refused'; readonly reason: string };

export function escaped(text: string): EscapedValue {
  return { kind: 'escaped', text };
}

export function refused(reason: string): EscapedValue {
  return { kind: 'refused', reason };
}
