// SPDX-License-Identifier: Apache-2.0
// The options of the verbs that say where signatures are looked for, which registries.d keeps.
import { UsageError } from '../../base/sysct-error.ts';
import type { PolicyScope } from '../../trust/edit/parse-scope.ts';
import type { WantedSigners } from '../../trust/edit/plan-edit.ts';
import { TrustError } from '../../trust/verdict/trust-error.ts';
import type { Context } from './context.ts';
import type { OptionSpec } from '../options/option-spec.ts';
import type { OptionValues } from '../options/option-values.ts';

export const PLACE_OPTIONS: readonly OptionSpec[] = [
  { flags: '--lookaside URL', description: 'where the signatures are: https://… or file:///…' },
  {
    flags: '--sigstore-attachments',
    description: 'look for signatures that cosign put beside the image',
  },
];

/** What registries.d is to say of the scope; undefined where nothing was asked for. @param verb for messages @throws UsageError */
export function wantedPlaces(
  verb: string,
  scope: PolicyScope,
  options: OptionValues,
):
  | { scope: string; lookaside: string | undefined; useSigstoreAttachments: true | undefined }
  | undefined {
  const lookaside = options.text('lookaside');
  const useSigstoreAttachments = options.flag('sigstore-attachments') ? true : undefined;
  if (lookaside === undefined && useSigstoreAttachments === undefined) return undefined;
  if (scope.transport !== 'docker' || scope.scope === '')
    throw new UsageError(
      `${verb}: --lookaside and --sigstore-attachments are for scopes of registries`,
    );
  if (options.text('policy') !== undefined)
    throw new UsageError(
      `${verb}: --lookaside and --sigstore-attachments change the host's registries.d, which --policy is not part of`,
      { hint: 'leave them out' },
    );
  const url = lookaside === undefined ? undefined : URL.parse(lookaside);
  const isLocal = url?.protocol === 'file:' && url.host === '';
  if (url === null || (url !== undefined && !isLocal && !/^https?:$/.test(url.protocol)))
    throw new UsageError(
      `--lookaside ${JSON.stringify(lookaside)} is no https://, http:// or file:/// URL`,
      {
        hint: lookaside?.startsWith('/')
          ? `write file://${lookaside}`
          : 'write where hosts find the signatures, such as https://sigs.example.com/',
      },
    );
  return { scope: scope.scope, lookaside, useSigstoreAttachments };
}

export function isSigstore({ kind }: WantedSigners): boolean {
  return kind !== 'anything' && kind !== 'gpg';
}

/** The trap that keeps signatures in the registry from being found. */
export async function notePlaces(
  context: Context,
  scope: PolicyScope,
  signers: readonly WantedSigners[],
  options: OptionValues,
): Promise<void> {
  if (scope.transport !== 'docker' || !signers.some(isSigstore)) return;
  if (options.flag('sigstore-attachments') || (await looksForAttachments(context, scope))) return;
  context.log.info(
    'note: signatures in the registry are looked for only where registries.d says so; --sigstore-attachments does that',
  );
}

/** Whether registries.d says so already, as far as it loads. */
async function looksForAttachments(
  { host, env }: Context,
  { scope }: PolicyScope,
): Promise<boolean> {
  const { loadRegistriesD } = await import('../../trust/lookaside/registries-d-file.ts');
  const { sectionsFor } = await import('../../trust/lookaside/registries-d.ts');
  try {
    const sections = sectionsFor(await loadRegistriesD({ host, env }), scope);
    return sections.useSigstoreAttachments?.useSigstoreAttachments === true;
  } catch (error) {
    if (error instanceof TrustError) return false;
    throw error;
  }
}
