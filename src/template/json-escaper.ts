// SPDX-License-Identifier: Apache-2.0
import { type EscapedValue, type Escaper, escaped, refused } from './escaper.ts';
import { JsonScanner } from './json-scanner.ts';

/**
 * For JSON. Inside a string literal a value becomes part of that string, whatever it holds. Anywhere
 * else it is a fragment of the document, as it is (`$ADDTL_MOUNTS`, `$ALL_PROCESS_CAPABILITIES`), and
 * must be balanced: it closes every string and bracket that it opens, and no other, so that it cannot
 * reach the parts of the document around its own place.
 */
export function jsonEscaper(): Escaper {
  const scanner = new JsonScanner();
  return {
    pass: (text) => scanner.scan(text),
    escape(_name, value): EscapedValue {
      switch (scanner.state) {
        case 'string':
          return escaped(JSON.stringify(value).slice(1, -1));
        case 'escape':
          return refused('stands behind a backslash');
        case 'outside':
          return isBalanced(value) ? escaped(value) : refused('is not a balanced JSON fragment');
      }
    },
  };
}

function isBalanced(fragment: string): boolean {
  const scanner = new JsonScanner();
  scanner.scan(fragment);
  return scanner.state === 'outside' && scanner.openBrackets.length === 0 && !scanner.closedForeign;
}
