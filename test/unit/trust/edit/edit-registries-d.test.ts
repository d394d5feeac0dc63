// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  dropSignatureSettings,
  OWN_DROP_IN,
  setSignatureSettings,
} from '../../../../src/trust/edit/edit-registries-d.ts';

const LOOKASIDE = {
  scope: 'quay.io/x',
  lookaside: 'https://sigs.example.com',
  useSigstoreAttachments: undefined,
};
const OWN = `# ours
docker:
  # one
  a.b:
    lookaside: file:///srv # here
`;

describe('setSignatureSettings', () => {
  for (const [name, text, start] of [
    ['none', undefined, '# Where signatures'],
    ['an empty one', '', 'docker:'],
    ['one without scopes', 'docker:\n', 'docker:'],
    ['one that has others', OWN, OWN],
  ] as const) {
    it(`adds a section to ${name}`, async () => {
      const files = text === undefined ? [] : [{ path: OWN_DROP_IN, text }];
      const after = await setSignatureSettings(files, LOOKASIDE);
      assert.ok(after.startsWith(start), after);
      assert.ok(after.endsWith('  quay.io/x:\n    lookaside: https://sigs.example.com\n'), after);
    });
  }

  it('changes one setting and keeps the other', async () => {
    const first = await setSignatureSettings([], LOOKASIDE);
    const files = [{ path: OWN_DROP_IN, text: first }];
    const both = { ...LOOKASIDE, lookaside: undefined, useSigstoreAttachments: true } as const;
    const after = await setSignatureSettings(files, both);
    assert.match(after, /lookaside: https:\/\/sigs.*\n {4}use-sigstore-attachments: true\n$/);
  });

  it('refuses a scope that another file has: no tool would load both', async () => {
    const other = {
      path: '/etc/containers/registries.d/a.yaml',
      text: 'docker:\n  quay.io/x: {}\n',
    };
    await assert.rejects(setSignatureSettings([other], LOOKASIDE), {
      code: 'SCOPE_ELSEWHERE',
      message: /a\.yaml has a section for "quay\.io\/x"/,
    });
  });

  it('refuses a directory that does not load', async () => {
    const bad = { path: '/etc/containers/registries.d/a.yaml', text: 'docker: [' };
    await assert.rejects(setSignatureSettings([bad], LOOKASIDE), { code: 'INVALID_REGISTRIES_D' });
  });
});

describe('dropSignatureSettings', () => {
  it('takes a section out again, to the byte', async () => {
    const after = await setSignatureSettings([{ path: OWN_DROP_IN, text: OWN }], LOOKASIDE);
    const files = [{ path: OWN_DROP_IN, text: after }];
    assert.equal(await dropSignatureSettings(files, 'quay.io/x'), OWN);
  });
  it('does nothing for a scope without one', async () => {
    for (const text of [OWN, '', 'docker:\n'])
      assert.equal(
        await dropSignatureSettings([{ path: OWN_DROP_IN, text }], 'quay.io/x'),
        undefined,
      );
  });
  it('leaves a file that loads when the last section goes', async () => {
    const text = await setSignatureSettings([], LOOKASIDE);
    const after = await dropSignatureSettings([{ path: OWN_DROP_IN, text }], 'quay.io/x');
    assert.ok(after !== undefined);
    assert.match(
      await setSignatureSettings([{ path: OWN_DROP_IN, text: after }], LOOKASIDE),
      /quay\.io\/x/,
    );
  });
});
