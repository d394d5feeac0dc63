// SPDX-License-Identifier: Apache-2.0

/** Collects, while a config is fitted to a host and a launcher, what was changed and what cannot be. */
export class AdaptationLog {
  readonly #notes = new Set<string>();
  readonly #refusals = new Set<string>();

  /** Something was changed so that it runs; said to people, once. */
  note(text: string): void {
    this.#notes.add(text);
  }

  /** Something cannot be had; the launch is refused when all of them are known. */
  refuse(text: string): void {
    this.#refusals.add(text);
  }

  get notes(): readonly string[] {
    return [...this.#notes];
  }

  get refusals(): readonly string[] {
    return [...this.#refusals];
  }
}
