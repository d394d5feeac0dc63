// SPDX-License-Identifier: Apache-2.0
import { EXIT } from '../exit-code.ts';
import { SOURCE_OPTIONS } from '../source-options.ts';
import type { Verb } from '../verb.ts';

export const verify: Verb = {
  name: 'verify',
  summary: 'Tell whether the trust policy admits an image',
  description: [
    'Asks for the manifest and the signatures of an image and prints the verdict of the policy: which rule decided, which key signed what, or everything that is wrong. No layer is fetched and nothing is stored.',
    'With --system the rule that `install --system` adds is applied as well: an image that only a default accepts is refused.',
  ],
  args: [
    {
      name: 'SOURCE',
      description: 'an image in a registry, or oci:, oci-archive:, docker-archive:, dir:',
      arity: 'one',
    },
  ],
  options: [
    { flags: '--system', description: 'judge as for install --system' },
    {
      flags: '--allow-unsigned',
      description: 'with --system: accept an image that only a default admits',
    },
    { flags: '--json', description: 'print the verdict as JSON' },
    ...SOURCE_OPTIONS,
  ],
  examples: [
    { command: 'sysct verify quay.io/coreos/etcd:v3.5', does: "The verdict of the host's policy." },
    {
      command: 'sysct verify --policy new.json dir:/srv/etcd',
      does: 'Try a policy before it is installed.',
    },
  ],
  run: async (context, [text = ''], options) => {
    const { gateFor, openSourceFor, platformFor } = await import('../image-access.ts');
    const { resolveImage } = await import('../../image/resolve-image.ts');
    const { decideOnImage } = await import('../../image/trust-gate.ts');
    const { refusal, describeVerdict } = await import('../../trust/verdict/describe-verdict.ts');
    const gate = await gateFor(
      context,
      options.flag('system') ? 'system-container' : 'pull',
      options,
      'verify',
    );
    await using source = await openSourceFor(context, text, options);
    const image = await resolveImage(source, platformFor(options));
    const { verdict } = await decideOnImage(gate, source, image, 'at-source');
    if (options.flag('json')) {
      context.printJson({ version: 1, source: source.display, verdict });
      return verdict.allowed ? EXIT.done : EXIT.refused;
    }
    if (!verdict.allowed) throw refusal(verdict, source.display);
    context.print(
      `${source.display}@${image.manifestDigest}\nadmitted: ${describeVerdict(verdict)}\n`,
    );
    return EXIT.done;
  },
};
