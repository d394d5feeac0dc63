// SPDX-License-Identifier: Apache-2.0
import { shellQuote } from '../../base/shell-quote.ts';
import type { ImageSource } from '../../image/source/image-source.ts';
import type { TrustGate } from '../../image/gate/trust-gate.ts';
import type { Advice, SignaturePlaces } from '../../trust/signature-advice.ts';
import type { Explanation } from '../../trust/explain.ts';
import type { Context } from '../context/context.ts';
import { EXIT } from '../output/exit-code.ts';
import type { OptionValues } from '../options/option-values.ts';
import { SOURCE_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';

export const trustExplain: Verb = {
  name: 'trust explain',
  summary: 'Tell why the trust policy admits or refuses an image',
  description: [
    'Judges an image as pull and install do, and prints how that comes: the rule that decides, with its line in the policy, and the rules that it hides; every place where signatures were looked for, and its answer; every signature that was found, and why it counts or does not; who may sign; and the command that would change it. What a signature says of itself that nobody has verified is marked as such.',
    'Only the manifest and signatures are fetched, never a layer. With --stored nothing is fetched: the image in the store is judged by what was kept with it. So is that of an installed container, as sysct-verify(1) judges it. A name that is both means the container; --image says otherwise.',
    'Exits with 5 when the image is refused.',
  ],
  args: [
    {
      name: 'IMAGE',
      description:
        'an image in a registry, or oci:, oci-archive:, docker-archive:, dir:; with --stored a name or ID that sysct images lists; or the name of an installed container',
      arity: 'one',
      completes: 'images',
    },
  ],
  options: [
    { flags: '--stored', description: 'explain the image in the store, without a network' },
    { flags: '--image', description: 'IMAGE is no container' },
    { flags: '--system', description: 'exit as install --system would; always of a container' },
    { flags: '--json', description: 'print JSON' },
    ...SOURCE_OPTIONS,
  ],
  examples: [
    { command: 'sysct trust explain quay.io/coreos/etcd:v3.5', does: 'Why it would be refused.' },
    {
      command: 'sysct trust explain --policy new.json quay.io/coreos/etcd:v3.5',
      does: 'The same under a policy that is not installed yet.',
    },
    { command: 'sysct trust explain etcd', does: 'Why "sysct verify etcd" says what it says.' },
  ],
  run: async (context, [text = ''], options) => {
    const { gateFor, platformFor } = await import('../parts/image-access.ts');
    const { resolveImage } = await import('../../image/source/resolve-image.ts');
    const { explainImage } = await import('../../image/explain-image.ts');
    const { renderExplanation } = await import('../output/render-explanation.ts');
    const purpose = options.flag('system') ? 'system-container' : 'pull';
    const today = await gateFor(context, purpose, options, 'nobody');
    const named = await openNamed(context, text, today, options);
    const { gate, isKept } = named;
    await using source = named.source;
    const image = await resolveImage(source, platformFor(options));
    const configured = await configuredFor(context, source);
    const { verdict, explanation: found } = await explainImage(gate, source, image, configured);
    const all = isKept ? [...found.advice, ...pullAgain(source, found)] : found.advice;
    const explanation = { ...found, advice: all.map((one) => onRoot(context, one)) };
    if (options.flag('json'))
      context.printJson({
        version: 1,
        source: source.display,
        indexDigest: image.index?.digest,
        ...explanation,
      });
    else context.print(renderExplanation(source.display, explanation));
    return verdict.allowed ? EXIT.done : EXIT.refused;
  },
};

/** What was made since is not in the store. */
function pullAgain({ display }: ImageSource, { verdict, places }: Explanation): readonly Advice[] {
  if (verdict.allowed || places.length === 0) return [];
  const text = 'only what was kept with it was looked at; to fetch signatures that were made since';
  return [{ text, command: `sysct pull ${shellQuote(display)}` }];
}

/** The command for the root that was looked at: as it stands it is for the running host. */
function onRoot({ host }: Context, { text, command }: Advice): Advice {
  if (command === undefined || host.isRunningHost) return { text, command };
  return { text, command: `${command} --root ${shellQuote(host.directory)}` };
}

interface Named {
  readonly gate: TrustGate;
  readonly source: ImageSource;
  /** Of the store: nobody is asked for signatures. */
  readonly isKept: boolean;
}

async function openNamed(
  context: Context,
  text: string,
  gate: TrustGate,
  options: OptionValues,
): Promise<Named> {
  const { asImage, meansContainer } = await import('../context/container-or-image.ts');
  if (await meansContainer(context, text, options)) return await openInstalled(context, text, gate);
  if (!options.flag('stored')) {
    const { openSourceFor } = await import('../parts/image-access.ts');
    const open = () => openSourceFor(context, text, options);
    return { gate, source: await asImage('explaining', text, options, open), isKept: false };
  }
  const { openStoresOf } = await import('../parts/open-parts.ts');
  const { StoredSource } = await import('../../image/source/stored-source.ts');
  const { record, store } = (await openStoresOf(context)).findImage(text);
  return { gate, source: new StoredSource(store, record), isKept: true };
}

async function openInstalled(context: Context, name: string, gate: TrustGate): Promise<Named> {
  const { requireInstalled } = await import('../../container/record/installed-container.ts');
  const { gateForInstalled, installedImage } =
    await import('../../container/record/installed-image.ts');
  const { openStoresOf } = await import('../parts/open-parts.ts');
  const { StoredSource } = await import('../../image/source/stored-source.ts');
  const { current } = requireInstalled(context.containersDirectory, name);
  const { record, store } = installedImage(current, await openStoresOf(context));
  return {
    gate: gateForInstalled(gate, current),
    source: new StoredSource(store, record),
    isKept: true,
  };
}

/** What registries.d says for an image in a registry. */
async function configuredFor(context: Context, source: ImageSource): Promise<SignaturePlaces> {
  if (source.reference === undefined || source.transport !== 'docker')
    return { useSigstoreAttachments: false, hasLookaside: false };
  const { loadRegistriesD } = await import('../../trust/lookaside/registries-d-file.ts');
  const { signatureSettingsFor } = await import('../../trust/lookaside/registries-d.ts');
  const registriesD = await loadRegistriesD({ host: context.host, env: context.env });
  const { lookaside, useSigstoreAttachments } = signatureSettingsFor(registriesD, source.reference);
  return { useSigstoreAttachments, hasLookaside: lookaside !== undefined };
}
