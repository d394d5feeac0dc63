// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../base/strict-json.ts';
import { readSystemRegistriesD } from '../lookaside/registries-d-file.ts';
import { decodePolicy } from '../policy/decode-policy.ts';
import { editPolicy, type PolicyEdit } from './edit-policy.ts';
import {
  dropSignatureSettings,
  OWN_DROP_IN,
  setSignatureSettings,
  type SignatureSettingsEdit,
} from './edit-registries-d.ts';
import type { EditSession } from './edit-session.ts';
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
  }
}
