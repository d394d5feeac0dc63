// SPDX-License-Identifier: Apache-2.0

const ARGUMENT_FIELD = 7;
// systemd's, in bytes: 0xa0 is white space for JavaScript, and half a letter in UTF-8.
const WHITE_SPACE = ' \t\r';
// tmpfiles.d(5): the types whose argument is one text that systemd unescapes C-style.
const TEXT_ARGUMENT_TYPES = 'CLfFw';

/** Follows tmpfiles.d(5) lines as systemd splits them: at white space outside quotes that no backslash precedes. */
export class TmpfilesScanner {
  /** Of the line so far; the one being read counts. */
  #fields = 0;
  #isInField = false;
  #quote = '';
  #isEscaped = false;
  #type = '';

  /** True where what comes next belongs to an argument that is one text. */
  get isInTextArgument(): boolean {
    const field = this.#isInField ? this.#fields : this.#fields + 1;
    return field >= ARGUMENT_FIELD && TEXT_ARGUMENT_TYPES.includes(this.#type);
  }

  scan(text: string): void {
    for (const character of text) this.#step(character);
  }

  #step(character: string): void {
    if (character === '\n') {
      this.#fields = 0;
      this.#isInField = false;
      this.#quote = '';
      this.#isEscaped = false;
      return;
    }
    if (this.#isEscaped) {
      this.#isEscaped = false;
      return;
    }
    if (this.#quote === '' && WHITE_SPACE.includes(character)) {
      this.#isInField = false;
      return;
    }
    if (!this.#isInField) {
      this.#isInField = true;
      this.#fields += 1;
      if (this.#fields === 1) this.#type = character;
    }
    if (character === '\\') this.#isEscaped = true;
    else if (character === this.#quote) this.#quote = '';
    else if (this.#quote === '' && (character === '"' || character === "'")) {
      this.#quote = character;
    }
  }
}
