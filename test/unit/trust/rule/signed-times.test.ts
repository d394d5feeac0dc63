// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Digest, sha256 } from '../../../../src/base/digest.ts';
import { parseReference } from '../../../../src/oci/reference.ts';
import { newestSignedTime } from '../../../../src/trust/rule/proven-time.ts';
import { SignedTimes } from '../../../../src/trust/rule/signed-times.ts';
import type {
  RequirementOutcome,
  SignatureOutcome,
} from '../../../../src/trust/verdict/verdict.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';
import { hasCode } from '../../../support/trust/trust-errors.ts';

const NAME = 'quay.io/coreos/etcd:v3';
const ETCD = { transport: 'docker', policyIdentity: NAME, reference: parseReference(NAME) };
const RULE = { policyFile: 'p', transport: 'docker', scope: '' };
const NOW = new Date('2026-06-01T00:00:00Z');
const FIRST = sha256('first');
const SECOND = sha256('second');

function signedBy(signedAt: string): SignatureOutcome {
  return {
    type: 'signedBy',
    keyFingerprint: 'A',
    signedIdentity: NAME,
    signatureSource: 's',
    signedAt,
  };
}

function sigstore(times: { loggedAt?: string; claimedAt?: string }): SignatureOutcome {
  const { loggedAt, claimedAt } = times;
  return {
    type: 'sigstoreSigned',
    signer: { kind: 'key', keyFingerprint: FIRST },
    signedIdentity: NAME,
    signatureSource: 's',
    loggedAt,
    claimedAt,
  };
}

function certified({
  loggedAt,
  validFrom,
}: {
  loggedAt: string;
  validFrom: string;
}): SignatureOutcome {
  const signer = { kind: 'certificate' as const, names: [], certificateFingerprint: FIRST };
  return {
    type: 'sigstoreSigned',
    signer: { ...signer, issuer: undefined, validFrom },
    signedIdentity: NAME,
    signatureSource: 's',
    loggedAt,
    claimedAt: undefined,
  };
}

function admitted(manifestDigest: Digest, ...outcomes: readonly RequirementOutcome[]) {
  return { allowed: true as const, rule: RULE, outcomes, manifestDigest };
}

function remember(
  times: SignedTimes,
  digest: Digest,
  ...outcomes: readonly RequirementOutcome[]
): void {
  times.remember(ETCD, admitted(digest, ...outcomes), NOW);
}

function open(directory: string, allowDowngrade = false): SignedTimes {
  return new SignedTimes(join(directory, 'trust'), { allowDowngrade });
}

describe('SignedTimes', () => {
  it('knows nothing at first, and leaves nothing behind by being asked', () => {
    using tmp = temporaryDirectory('signed-times');
    assert.equal(open(tmp.directory).newestStored(ETCD), undefined);
    assert.throws(() => statSync(join(tmp.directory, 'trust')), /ENOENT/);
  });

  it('remembers the newest of a name, also for others, readable by root alone', () => {
    using tmp = temporaryDirectory('signed-times');
    remember(open(tmp.directory), FIRST, signedBy('2026-02-01T00:00:00.000Z'));
    remember(open(tmp.directory), SECOND, signedBy('2026-01-01T00:00:00.000Z'));
    const known = open(tmp.directory).newestStored(ETCD);
    assert.deepEqual(known, {
      manifestDigest: FIRST,
      signedAt: new Date('2026-02-01T00:00:00.000Z'),
    });
    const file = join(tmp.directory, 'trust/signed-times.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(readFileSync(file, 'utf8'), /"docker:quay\.io\/coreos\/etcd:v3"/);
    const other = { ...ETCD, reference: parseReference('quay.io/coreos/etcd:v4') };
    assert.equal(open(tmp.directory).newestStored(other), undefined);
  });

  it('goes on from the image that the operator went back to', () => {
    using tmp = temporaryDirectory('signed-times');
    remember(open(tmp.directory), FIRST, signedBy('2026-02-01T00:00:00.000Z'));
    remember(open(tmp.directory, true), SECOND, signedBy('2026-01-01T00:00:00.000Z'));
    assert.equal(open(tmp.directory).newestStored(ETCD)?.manifestDigest, SECOND);
  });

  it('a06: refuses an image that a newer one has overtaken, where a rule forbids to go back', () => {
    using tmp = temporaryDirectory('signed-times');
    const older = '2026-01-01T00:00:00.000Z';
    const rule = { type: 'noDowngrade' as const, signedAt: older };
    remember(open(tmp.directory), FIRST, signedBy('2026-02-01T00:00:00.000Z'));
    const remembering = () => {
      remember(open(tmp.directory), SECOND, signedBy(older), rule);
    };
    assert.throws(remembering, hasCode('OVERTAKEN', /etcd:v3 stands for sha256:\w+ of 2026-02-01/));
    assert.equal(open(tmp.directory).newestStored(ETCD)?.manifestDigest, FIRST);
    // The same one again, by an older of its signatures, is no step back.
    remember(open(tmp.directory), FIRST, signedBy(older), rule);
    remember(open(tmp.directory, true), SECOND, signedBy(older), rule);
    assert.equal(open(tmp.directory).newestStored(ETCD)?.manifestDigest, SECOND);
  });

  const rows: readonly (readonly [string, readonly RequirementOutcome[], string | undefined])[] = [
    ['an OpenPGP signature', [signedBy('2026-01-01T00:00:00.000Z')], '2026-01-01'],
    [
      'the log, for a certificate that had just begun',
      [certified({ loggedAt: '2026-01-02T00:00:00.000Z', validFrom: '2026-01-01T00:00:00.000Z' })],
      '2026-01-02',
    ],
    [
      'no log, for a certificate that had been there for long',
      [certified({ loggedAt: '2026-01-02T00:00:01.000Z', validFrom: '2026-01-01T00:00:00.000Z' })],
      undefined,
    ],
    [
      'no log, for a key: anybody can have its old signatures logged again',
      [sigstore({ loggedAt: '2026-01-02T00:00:00.000Z' })],
      undefined,
    ],
    [
      'the claim of a key rather than the log',
      [sigstore({ loggedAt: '2026-03-01T00:00:00.000Z', claimedAt: '2026-01-02T00:00:00.000Z' })],
      '2026-01-02',
    ],
    ['the claim', [sigstore({ claimedAt: '2026-01-03T00:00:00.000Z' })], '2026-01-03'],
    ['no time', [sigstore({})], undefined],
    ['no signature', [{ type: 'insecureAcceptAnything' }], undefined],
    [
      'the requirement that proves the least',
      [signedBy('2026-01-05T00:00:00.000Z'), signedBy('2026-01-04T00:00:00.000Z')],
      '2026-01-04',
    ],
    [
      'the signers of an anyOf',
      [{ type: 'anyOf', min: 1, outcomes: [signedBy('2026-01-06T00:00:00.000Z')] }],
      '2026-01-06',
    ],
    [
      'a rule about time, which has asked all signatures',
      [
        signedBy('2026-01-01T00:00:00.000Z'),
        { type: 'noDowngrade', signedAt: '2026-01-07T00:00:00.000Z' },
      ],
      '2026-01-07',
    ],
  ];
  for (const [name, outcomes, day] of rows) {
    it(`takes the time of ${name}`, () => {
      using tmp = temporaryDirectory('signed-times');
      remember(open(tmp.directory), FIRST, ...outcomes);
      const known = open(tmp.directory).newestStored(ETCD);
      assert.equal(known?.signedAt.toISOString().slice(0, 10), day);
    });
  }

  it('remembers paths of images without a name, and nothing of those that have neither', () => {
    using tmp = temporaryDirectory('signed-times');
    const times = open(tmp.directory);
    const outcome = signedBy('2026-01-01T00:00:00.000Z');
    const dir = { transport: 'dir', policyIdentity: '/srv/x', reference: undefined };
    times.remember(dir, admitted(FIRST, outcome), NOW);
    assert.equal(times.newestStored(dir)?.manifestDigest, FIRST);
    const archive = { transport: 'docker-archive', policyIdentity: '', reference: undefined };
    times.remember(archive, admitted(FIRST, outcome), NOW);
    assert.equal(times.newestStored(archive), undefined);
  });

  for (const [name, text, message] of [
    ['an empty file', '', /is empty/],
    ['no JSON', '{"version":1,', /signed-times\.json/],
    ['another version', '{"version":2,"images":{}}', /its version is 2/],
    ['no version', '{}', /its version is missing/],
    ['no images', '{"version":1}', /is not what was written/],
    ['an image without a time', '{"version":1,"images":{"docker:a":{}}}', /entry of "docker:a"/],
    [
      'a time that is none',
      `{"version":1,"images":{"a":{"manifestDigest":"${FIRST}","signedAt":"x"}}}`,
      /entry of "a" has no digest, or no time/,
    ],
  ] as const) {
    it(`takes ${name} for damage, not for "nothing was stored"`, () => {
      using tmp = temporaryDirectory('signed-times');
      mkdirSync(join(tmp.directory, 'trust'));
      writeFileSync(join(tmp.directory, 'trust/signed-times.json'), text);
      const times = open(tmp.directory);
      assert.throws(() => times.newestStored(ETCD), hasCode('UNREADABLE_FILE', message));
      const remembering = () => {
        remember(times, FIRST, signedBy('2026-01-01T00:00:00.000Z'));
      };
      assert.throws(remembering, hasCode('UNREADABLE_FILE', message));
    });
  }
});

describe('newestSignedTime', () => {
  it('takes no time that lies ahead of the clock for more than a day', () => {
    const near = '2026-06-01T23:00:00.000Z';
    const far = '2026-06-03T00:00:00.000Z';
    assert.equal(newestSignedTime([sigstore({ claimedAt: far })], NOW), undefined);
    const both = [sigstore({ claimedAt: far }), sigstore({ claimedAt: near })];
    assert.equal(newestSignedTime(both, NOW)?.toISOString(), near);
  });
});
