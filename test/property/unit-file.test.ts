// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  escapeUnitName,
  escapeUnitPath,
  unescapeUnitName,
  unescapeUnitPath,
} from '../../src/systemd/unit-escape.ts';
import {
  parseUnit,
  printUnit,
  type UnitEntry,
  type UnitFile,
} from '../../src/systemd/unit-file.ts';
import { fc } from '../support/properties.ts';

const PLAIN = { noNullPrototype: true } as const;
// White space at the ends is no part of a value.
const value = fc
  .string({ unit: fc.constantFrom(...'ab=#;[]"\\% \té\u2028') })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
const key = fc.stringMatching(/^[A-Za-z]([A-Za-z .-]{0,8}[A-Za-z])?$/);
const comment = fc.tuple(fc.constantFrom('#', ';'), value).map(([mark, text]) => `${mark}${text}`);
const entry: fc.Arbitrary<UnitEntry> = fc.oneof(
  fc.record({ kind: fc.constant('directive' as const), key, value }, PLAIN),
  fc.record({ kind: fc.constant('comment' as const), text: comment }, PLAIN),
);
const section = fc.record(
  {
    name: fc.constantFrom('Unit', 'Service', 'X-Sysct', 'Install'),
    entries: fc.array(entry, { maxLength: 5 }),
  },
  PLAIN,
);
const unit: fc.Arbitrary<UnitFile> = fc.record(
  { head: fc.array(comment, { maxLength: 2 }), sections: fc.array(section, { maxLength: 4 }) },
  PLAIN,
);

describe('unit files', () => {
  it('are read back as they were printed', () => {
    fc.assert(
      fc.property(unit, (file) => {
        assert.deepEqual(parseUnit(printUnit(file), 'x'), file);
      }),
    );
  });

  it('mean the same once parsed and printed, whatever text they came from', () => {
    const text = fc.string({ unit: fc.constantFrom(...'[A]\n\r=#;\\ b') });
    fc.assert(
      fc.property(text, (body) => {
        let file: UnitFile;
        try {
          file = parseUnit(`[A]\n${body}`, 'x');
        } catch {
          return;
        }
        assert.deepEqual(parseUnit(printUnit(file), 'x'), file);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('unit names', () => {
  it('are unescaped to what was escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const whole = text.replaceAll('\0', '');
        assert.equal(unescapeUnitName(escapeUnitName(whole)), whole);
      }),
    );
  });

  it('of paths lead back to the path', () => {
    const component = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((text) => text.replaceAll(/[/\0]/g, '_'))
      .filter((text) => text !== '.' && text !== '..');
    fc.assert(
      fc.property(fc.array(component, { minLength: 1, maxLength: 5 }), (components) => {
        const path = `/${components.join('/')}`;
        assert.equal(unescapeUnitPath(escapeUnitPath(path)), path);
      }),
    );
  });
});
