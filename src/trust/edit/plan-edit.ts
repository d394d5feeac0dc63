// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import type { JsonObject } from '../../base/strict-json.ts';
import { readSystemRegistriesD } from '../lookaside/registries-d-file.ts';
import { decodePolicy } from '../policy/decode-policy.ts';
import { scopesFor } from '../policy/scope-lookup.ts';
import { parseTrustD, type TrustD } from '../policy/trust-d.ts';
import { TrustError } from '../verdict/trust-error.ts';
import { editPolicy, NEW_POLICY, type PolicyEdit } from './edit-policy.ts';
import {
  dropSignatureSettings,
  OWN_DROP_IN,
  setSignatureSettings,
  type SignatureSettingsEdit,
} from './edit-registries-d.ts';
import type { EditSession } from './edit-session.ts';
import { editTrustD, OWN_TRUST_D_FILE, type TrustDEdit } from './edit-trust-d.ts';
import type { PolicyScope } from './parse-scope.ts';
import { placeKey } from './key-files.ts';
import { requirementJson, type WantedRequirement } from './requirement-json.ts';

/** Notes a change of the policy. @throws TrustError as {@link editPolicy}, and what reading throws */
export async function planPolicyEdit(session: EditSession, edit: PolicyEdit): Promise<void> {
  const { policyPath } = session;
  const before = await session.read(policyPath, 'trust policy');
  const after = editPolicy(
    before === undefined ? undefined : decodePolicy(before, policyPath),
    policyPath,
    edit,
  );
  session.change(policyPath, before, after);
}

/** Notes that a host without a policy gets the one that an absent one comes to. */
export async function planPolicy(session: EditSession): Promise<void> {
  if ((await session.read(session.policyPath, 'trust policy')) === undefined)
    session.change(session.policyPath, undefined, NEW_POLICY);
}

/**
 * Notes a change of our own file in trust.d, where the session has one; false where nothing changes.
 * @throws TrustError as {@link editTrustD}
 */
export async function planTrustDEdit(session: EditSession, edit: TrustDEdit): Promise<boolean> {
  const directory = session.trustDirectory;
  if (directory === undefined) return false;
  const files = await session.readTrustD(directory);
  const path = posix.join(directory, OWN_TRUST_D_FILE);
  const before = files.find((file) => file.path === path);
  const after = editTrustD(directory, files, edit);
  if (after === undefined) return false;
  session.change(path, before === undefined ? undefined : Buffer.from(before.text), after);
  return true;
}

/** Notes that a scope is taken out of the policy and of our own file in trust.d. @throws TrustError NO_SUCH_SCOPE when neither has it */
export async function planWithoutScope(session: EditSession, scope: PolicyScope): Promise<void> {
  const wasInTrustD = await planTrustDEdit(session, { kind: 'drop', part: 'all', scope });
  try {
    await planPolicyEdit(session, { kind: 'remove-scope', scope });
  } catch (error) {
    const isAbsent = error instanceof TrustError && error.code === 'NO_SUCH_SCOPE';
    if (!isAbsent || !wasInTrustD) throw error;
  }
}

/** The types of what trust.d asks for of the scope in addition, as it stands before the edit. */
export async function requiredSoFar(
  session: EditSession,
  { transport, scope }: PolicyScope,
): Promise<readonly string[]> {
  const transports = await readScopes(session);
  return (transports?.get(transport)?.get(scope)?.also?.requirements ?? []).map(({ type }) => type);
}

/** `FILE:LINE`, and the scope, of all in trust.d that decides about images of the scope, but for our own file's own word on it. */
export async function decidingInTrustD(
  session: EditSession,
  { transport, scope }: PolicyScope,
): Promise<readonly string[]> {
  const transports = await readScopes(session);
  const own = posix.join(session.trustDirectory ?? '', OWN_TRUST_D_FILE);
  return [...(transports?.get(transport) ?? [])].flatMap(([other, { file, line, admit }]) => {
    const isBelow = scope === '' || scopesFor(transport, other).includes(scope);
    const isOurs = file === own && other === scope;
    return admit === undefined || !isBelow || isOurs ? [] : [`${file}:${line}, ${quote(other)}`];
  });
}

/** What trust.d says before the edit; undefined where the session has none. */
async function readScopes(session: EditSession): Promise<TrustD['transports'] | undefined> {
  const directory = session.trustDirectory;
  if (directory === undefined) return undefined;
  return parseTrustD(directory, await session.readTrustD(directory)).transports;
}

/** Notes a change of our own file in registries.d. @throws TrustError as {@link setSignatureSettings} */
export async function planSignatureSettings(
  session: EditSession,
  edit: SignatureSettingsEdit,
): Promise<void> {
  const before = await session.read(OWN_DROP_IN, 'file');
  const files = await readSystemRegistriesD(session.host);
  session.change(OWN_DROP_IN, before, await setSignatureSettings(files, edit));
}

/** Notes that our own file in registries.d loses its section for a scope, if it has one. */
export async function planWithoutSettings(session: EditSession, scope: string): Promise<void> {
  const before = await session.read(OWN_DROP_IN, 'file');
  if (before === undefined) return;
  const after = await dropSignatureSettings(await readSystemRegistriesD(session.host), scope);
  if (after !== undefined) session.change(OWN_DROP_IN, before, after);
}

/** Who may sign the images of a scope, as the command line names them: files, not yet paths of a policy. */
export type WantedSigners =
  | { readonly kind: 'anything' }
  | { readonly kind: 'gpg'; readonly keys: readonly string[] }
  | {
      readonly kind: 'sigstore';
      readonly keys: readonly string[];
      readonly rekorKey: string | undefined;
    }
  | {
      readonly kind: 'keyless';
      readonly ca: string;
      readonly rekorKey: string;
      readonly issuer: string;
      readonly subject: string;
    }
  | {
      readonly kind: 'certified';
      /** A file of sysct.trust.d(5) `trustedRootPath`. */
      readonly trustedRoot: string;
      /** Members of `keyless`. */
      readonly identity: JsonObject;
    };

/**
 * The requirement that asks for these signers; keys that have to be copied are noted as changes.
 * @throws UsageError for files that hold no such keys
 */
export async function requirementFor(
  session: EditSession,
  signers: WantedSigners,
  signedIdentity: JsonObject | undefined,
  keyInPlace: boolean,
): Promise<JsonObject> {
  return requirementJson(await wanted(session, signers, signedIdentity, keyInPlace));
}

async function wanted(
  session: EditSession,
  signers: WantedSigners,
  signedIdentity: JsonObject | undefined,
  keyInPlace: boolean,
): Promise<WantedRequirement> {
  const rekor = async (file: string) =>
    await placeKey(session, 'rekor-key', file, 'public-key', keyInPlace);
  const keys = async (option: string, files: readonly string[], kind: 'gpg' | 'public-key') => {
    const paths = [];
    for (const file of files) paths.push(await placeKey(session, option, file, kind, keyInPlace));
    return paths;
  };
  switch (signers.kind) {
    case 'anything':
      return signers;
    case 'gpg': {
      const keyPaths = await keys('gpg-key', signers.keys, 'gpg');
      return { kind: 'gpg', keyPaths, signedIdentity };
    }
    case 'sigstore': {
      const { rekorKey } = signers;
      const keyPaths = await keys('sigstore-key', signers.keys, 'public-key');
      const rekorKeyPath = rekorKey === undefined ? undefined : await rekor(rekorKey);
      return { kind: 'sigstore', keyPaths, rekorKeyPath, signedIdentity };
    }
    case 'keyless': {
      const { issuer, subject, ca, rekorKey } = signers;
      const caPath = await placeKey(session, 'fulcio-ca', ca, 'certificates', keyInPlace);
      const rekorKeyPath = await rekor(rekorKey);
      return { kind: 'keyless', caPath, rekorKeyPath, issuer, subject, signedIdentity };
    }
    case 'certified': {
      const { trustedRoot, identity } = signers;
      const path = await placeKey(session, 'trusted-root', trustedRoot, 'trusted-root', keyInPlace);
      return { kind: 'certified', trustedRootPath: path, identity, signedIdentity };
    }
  }
}
