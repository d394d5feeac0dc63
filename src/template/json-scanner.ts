// SPDX-License-Identifier: Apache-2.0

/**
 * Follows JSON text, just enough to tell strings from the rest and which brackets are open. Text that
 * is no JSON gets some answer; the finished document is parsed by others.
 */
export class JsonScanner {
  /** `escape`: in a string, behind a backslash that still wants its character. */
  state: 'outside' | 'string' | 'escape' = 'outside';
  /** The closing brackets that are still to come, innermost last. */
  readonly openBrackets: string[] = [];
  /** A bracket was closed that this scanner has not seen open. */
  closedForeign = false;

  scan(text: string): void {
    for (const character of text) this.#step(character);
  }

  #step(character: string): void {
    if (this.state === 'escape') this.state = 'string';
    else if (this.state === 'string') {
      if (character === '"') this.state = 'outside';
      else if (character === '\\') this.state = 'escape';
    } else if (character === '"') this.state = 'string';
    else if (character === '{') this.openBrackets.push('}');
    else if (character === '[') this.openBrackets.push(']');
    else if (character === '}' || character === ']') this.#close(character);
  }

  #close(bracket: string): void {
    if (this.openBrackets.at(-1) === bracket) this.openBrackets.pop();
    else this.closedForeign = true;
  }
}
