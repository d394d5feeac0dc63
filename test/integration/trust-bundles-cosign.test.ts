// SPDX-License-Identifier: Apache-2.0
// What the cosign of Debian sid says of the bundles that we make ourselves, good and forged: what we say of them.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { parseBundle } from '../../src/trust/sigstore/bundle.ts';
import { parseTrustedRoot } from '../../src/trust/sigstore/trusted-root.ts';
import { verifyBundle } from '../../src/trust/sigstore/verify-bundle.ts';
import { bundleCases } from '../support/trust/bundle-cases.ts';
import { openCosign } from '../support/trust/cosign.ts';
import { keylessBundle, statement } from '../support/trust/sigstore-bundles.ts';
import {
  makeInstance,
  makeTimestamp,
  OIDC_ISSUER,
  WORKFLOW,
} from '../support/trust/sigstore-instance.ts';

const opened = await openCosign('sid');
const missing = typeof opened === 'string' ? opened : false;
const MANIFEST = Buffer.from('{"schemaVersion":2}');

describe('cosign about our bundles', { skip: missing }, () => {
  if (typeof opened === 'string') return;
  after(() => opened[Symbol.dispose]());
  for (const { name, allowed, bundles, cosign } of bundleCases(sha256(MANIFEST))) {
    const [bundle] = bundles;
    if (cosign === undefined || bundle === undefined || bundles.length > 1) continue;
    const { differs } = cosign;
    const title = differs === undefined ? 'agrees' : `differs, as ${differs},`;
    it(`${title} about ${name}`, async () => {
      const { exitCode, stderr } = await opened.judge(cosign, bundle, MANIFEST);
      assert.equal(exitCode === 0, differs === undefined ? allowed : !allowed, stderr);
    });
  }

  it('makes a trusted root that admits what ours does', async () => {
    const instance = makeInstance();
    const { intermediate, root, rekor, certificateLog, stamper, stamperRoot } = instance;
    const put = (name: string, ...pems: readonly string[]): string => {
      writeFileSync(join(opened.root, 'srv', name), pems.join(''));
      return `/srv/${name}`;
    };
    const since = 'start-time=2020-01-01T00:00:00Z';
    const key = (name: string, pem: string) => `public-key=${put(name, pem)},${since}`;
    const { exitCode, stderr } = await opened.run([
      ...['trusted-root', 'create', '--out', '/srv/made.json'],
      `--fulcio=url=https://f.example,certificate-chain=${put('f.pem', intermediate.pem, root.pem)}`,
      `--rekor=url=https://rekor.example,${key('r.pub', rekor.key.pem)}`,
      `--ctfe=url=https://ct.example,${key('c.pub', certificateLog.key.pem)}`,
      `--tsa=url=https://t.example,certificate-chain=${put('t.pem', stamper.pem, stamperRoot.pem)}`,
    ]);
    assert.equal(exitCode, 0, stderr);
    const made = parseTrustedRoot(readFileSync(join(opened.root, 'srv/made.json')), 'made.json');
    const bundle = keylessBundle(instance, {
      payload: statement('1'.repeat(64)),
      timestamps: (stamped) => [makeTimestamp(instance, { stamped })],
    });
    const exact = (text: string) => ({ kind: 'exact' as const, text });
    const identity = {
      issuer: exact(OIDC_ISSUER),
      subject: { kind: 'uri' as const, is: exact(WORKFLOW) },
      extensions: [],
    };
    const trust = { kind: 'keyless' as const, root: made, identity };
    const { signer, loggedAt, stampedAt } = verifyBundle(parseBundle(bundle), trust, new Date());
    assert.deepEqual(signer.kind === 'certificate' && signer.names, [WORKFLOW]);
    assert.ok(loggedAt !== undefined && stampedAt !== undefined);
  });
});
