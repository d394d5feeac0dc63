// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import type { JsonObject } from '../../base/strict-json.ts';
import { UsageError } from '../../base/sysct-error.ts';

/** What an operator wants images of a scope to be. Paths are those that the policy will name. */
export type WantedRequirement =
  | { readonly kind: 'reject' }
  | { readonly kind: 'anything' }
  | {
      readonly kind: 'gpg';
      /** Any one of their keys may sign. */
      readonly keyPaths: readonly string[];
      readonly signedIdentity: JsonObject | undefined;
    }
  | {
      readonly kind: 'sigstore';
      readonly keyPaths: readonly string[];
      readonly rekorKeyPath: string | undefined;
      readonly signedIdentity: JsonObject | undefined;
    }
  | {
      readonly kind: 'keyless';
      readonly caPath: string;
      readonly rekorKeyPath: string;
      readonly issuer: string;
      readonly subject: string;
      readonly signedIdentity: JsonObject | undefined;
    }
  | {
      readonly kind: 'certified';
      readonly trustedRootPath: string;
      readonly identity: JsonObject;
      readonly signedIdentity: JsonObject | undefined;
    };

/** The requirement as containers-policy.json(5) writes it, or, for `certified`, sysct.trust.d(5). */
export function requirementJson(wanted: WantedRequirement): JsonObject {
  switch (wanted.kind) {
    case 'reject':
      return { type: 'reject' };
    case 'anything':
      return { type: 'insecureAcceptAnything' };
    case 'gpg':
      return {
        type: 'signedBy',
        keyType: 'GPGKeys',
        ...keyMembers(wanted.keyPaths),
        ...identityMember(wanted.signedIdentity),
      };
    case 'sigstore':
      return {
        type: 'sigstoreSigned',
        ...keyMembers(wanted.keyPaths),
        ...(wanted.rekorKeyPath === undefined ? {} : { rekorPublicKeyPath: wanted.rekorKeyPath }),
        ...identityMember(wanted.signedIdentity),
      };
    case 'keyless':
      return {
        type: 'sigstoreSigned',
        fulcio: {
          caPath: wanted.caPath,
          oidcIssuer: wanted.issuer,
          subjectEmail: wanted.subject,
        },
        rekorPublicKeyPath: wanted.rekorKeyPath,
        ...identityMember(wanted.signedIdentity),
      };
    case 'certified':
      return {
        type: 'sigstoreSigned',
        keyless: { trustedRootPath: wanted.trustedRootPath, ...wanted.identity },
        ...identityMember(wanted.signedIdentity),
      };
  }
}

// One key in the older form: tools that do not know keyPaths refuse the whole file.
function keyMembers(paths: readonly string[]): JsonObject {
  const [only = ''] = paths;
  return paths.length === 1 ? { keyPath: only } : { keyPaths: paths };
}

function identityMember(signedIdentity: JsonObject | undefined): JsonObject {
  return signedIdentity === undefined ? {} : { signedIdentity };
}

/**
 * `--signed-identity`: `matchExact`, `matchRepoDigestOrExact`, `matchRepository`, `exactReference=REFERENCE`,
 * `exactRepository=REPOSITORY`, `remapIdentity=PREFIX=SIGNED-PREFIX`. What the values may be, the parser
 * of the policy says.
 * @throws UsageError
 */
export function parseIdentityOption(text: string): JsonObject {
  const [type = '', ...values] = text.split('=');
  const [first, second] = values;
  switch (type) {
    case 'matchExact':
    case 'matchRepoDigestOrExact':
    case 'matchRepository':
      if (values.length === 0) return { type };
      break;
    case 'exactReference':
      if (first !== undefined && values.length === 1) return { type, dockerReference: first };
      break;
    case 'exactRepository':
      if (first !== undefined && values.length === 1) return { type, dockerRepository: first };
      break;
    case 'remapIdentity':
      if (first !== undefined && second !== undefined && values.length === 2)
        return { type, prefix: first, signedPrefix: second };
      break;
    default:
  }
  throw new UsageError(`--signed-identity ${quote(text)} cannot be meant`, {
    hint: 'it is matchExact, matchRepoDigestOrExact, matchRepository, exactReference=REFERENCE, exactRepository=REPOSITORY or remapIdentity=PREFIX=SIGNED-PREFIX',
  });
}
