// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { parseRegistriesD, type RegistriesDFile } from '../lookaside/registries-d.ts';
import { TrustError } from '../verdict/trust-error.ts';

/** The one file of registries.d that sysct writes. */
export const OWN_DROP_IN = '/etc/containers/registries.d/sysct.yaml';

const HEAD =
  '# Where signatures are looked for, containers-registries.d(5). "sysct trust" edits it.\n';

/** Where the signatures of a scope of registries are; undefined leaves that as it is. */
export interface SignatureSettingsEdit {
  readonly scope: string;
  readonly lookaside: string | undefined;
  readonly useSigstoreAttachments: true | undefined;
}

/**
 * Our own drop-in with the settings of one scope changed; its comments and other scopes stay.
 *
 * @param files all files of the directory, this one among them if it is there.
 * @throws TrustError INVALID_REGISTRIES_D when the directory does not load, SCOPE_ELSEWHERE when
 *   another file has a section for the scope: a second one would make every tool refuse both.
 */
export async function setSignatureSettings(
  files: readonly RegistriesDFile[],
  edit: SignatureSettingsEdit,
): Promise<string> {
  const holder = (await parseRegistriesD(files)).docker.get(edit.scope)?.path;
  if (holder !== undefined && holder !== OWN_DROP_IN) {
    throw new TrustError(
      'SCOPE_ELSEWHERE',
      `${holder} has a section for ${quote(edit.scope)} already`,
      { hint: `edit it there, or remove it: a scope may have only one section in registries.d` },
    );
  }
  const { isMap } = await import('yaml');
  const document = await parseOwn(files);
  const base = ['docker', edit.scope];
  // `docker:` with nothing behind it is no mapping to add to.
  if (document.has('docker') && !isMap(document.get('docker'))) document.delete('docker');
  if (edit.lookaside !== undefined) document.setIn([...base, 'lookaside'], edit.lookaside);
  if (edit.useSigstoreAttachments !== undefined)
    document.setIn([...base, 'use-sigstore-attachments'], edit.useSigstoreAttachments);
  return String(document);
}

/** Our own drop-in without a section for the scope; undefined where it has none. */
export async function dropSignatureSettings(
  files: readonly RegistriesDFile[],
  scope: string,
): Promise<string | undefined> {
  const { isMap } = await import('yaml');
  const document = await parseOwn(files);
  if (!document.hasIn(['docker', scope])) return undefined;
  document.deleteIn(['docker', scope]);
  const docker = document.get('docker');
  if (isMap(docker) && docker.items.length === 0) document.delete('docker');
  return String(document);
}

async function parseOwn(files: readonly RegistriesDFile[]) {
  const { parseDocument } = await import('yaml');
  const text = files.find(({ path }) => path === OWN_DROP_IN)?.text ?? HEAD;
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    throw new TrustError('INVALID_REGISTRIES_D', `${OWN_DROP_IN}: ${messageOf(error)}`, {
      hint: 'correct it first',
    });
  }
  return document;
}
