// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import type { VerifiedContainer } from '../../container/check/verify-container.ts';
import { asImage, meansContainer } from '../context/container-or-image.ts';
import type { Context } from '../context/context.ts';
import { EXIT } from '../output/exit-code.ts';
import type { OptionValues } from '../options/option-values.ts';
import { SOURCE_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';
import type { BrokenContainer } from '../output/verification-result.ts';
import { withDigest } from '../output/with-digest.ts';

export const verify: Verb = {
  name: 'verify',
  summary: 'Tell whether the trust policy admits an image, or what is installed',
  description: [
    'Of an image, asks for its manifest and signatures and prints the verdict of the policy: which rule decided, which key signed what, or everything that is wrong. No layer is fetched and nothing is stored. With --system the rule that `install --system` adds is applied as well: an image that only a default accepts is refused.',
    "Of an installed container, puts the manifest and signatures that were kept with it before today's policy, without a network, as if it were installed now; a container that was installed with --allow-unsigned may still be unsigned. Then all that it uses of the store is read and compared with its digests. With --remote its registry is asked whether the tag still stands for the same image.",
    'Exits with 5 when an image or a container is refused; else with 8 when something that a container uses is damaged, 6 when a registry did not answer, 10 when a tag moved or is gone. A name that is both means the container; --image says otherwise.',
  ],
  args: [
    {
      name: 'NAME',
      description:
        'an installed container; or an image in a registry, or oci:, oci-archive:, docker-archive:, dir:',
      arity: 'optional',
      completes: 'containers',
    },
  ],
  options: [
    { flags: '--all', description: 'every installed container' },
    { flags: '--remote', description: 'ask the registry whether the tag of a container has moved' },
    { flags: '--image', description: 'NAME is an image' },
    { flags: '--system', description: 'judge an image as for install --system' },
    {
      flags: '--allow-unsigned',
      description: 'accept an image that only a default admits, as install does',
    },
    { flags: '--json', description: 'print the result as JSON' },
    ...SOURCE_OPTIONS,
  ],
  examples: [
    { command: 'sysct verify quay.io/coreos/etcd:v3.5', does: "The verdict of the host's policy." },
    { command: 'sysct verify --all', does: 'Would all that is installed be admitted today?' },
    {
      command: 'sysct verify --policy new.json --all',
      does: 'Try a policy on what is installed before it is put in place.',
    },
  ],
  run: async (context, [text], options) => {
    if (options.flag('all')) {
      if (text !== undefined) throw new UsageError('verify: give a name or --all, not both');
      return await verifyInstalled(context, undefined, options);
    }
    if (text === undefined) throw new UsageError('verify: name a container or an image, or --all');
    if (await meansContainer(context, text, options)) {
      return await verifyInstalled(context, text, options);
    }
    if (options.flag('remote')) {
      throw new UsageError(`verify --remote: ${quote(text)} is no installed container`, {
        hint: 'an image is always asked for where it is, without --remote',
      });
    }
    return await asImage('verifying', text, options, () => verifyImage(context, text, options));
  },
};

async function verifyImage(context: Context, text: string, options: OptionValues): Promise<number> {
  const { gateFor, openSourceFor, platformFor } = await import('../parts/image-access.ts');
  const { resolveImage } = await import('../../image/source/resolve-image.ts');
  const { decideOnImage } = await import('../../image/gate/trust-gate.ts');
  const { refusal, describeVerdict } = await import('../../trust/verdict/describe-verdict.ts');
  const purpose = options.flag('system') ? 'system-container' : 'pull';
  const gate = await gateFor(context, purpose, options, 'verify');
  await using source = await openSourceFor(context, text, options);
  const image = await resolveImage(source, platformFor(options));
  const { verdict } = await decideOnImage(gate, source, image, 'at-source');
  if (options.flag('json')) {
    context.printJson({ version: 1, source: source.display, verdict });
    return verdict.allowed ? EXIT.done : EXIT.refused;
  }
  if (!verdict.allowed) throw refusal(verdict, source.display);
  context.print(
    `${withDigest(source.display, image.manifestDigest)}\nadmitted: ${describeVerdict(verdict)}\n`,
  );
  return EXIT.done;
}

/** @param name every container where undefined */
async function verifyInstalled(
  context: Context,
  name: string | undefined,
  options: OptionValues,
): Promise<number> {
  const { summarizeContainers } = await import('../../container/record/container-summary.ts');
  const { ContainerDirectory } = await import('../../container/record/container-directory.ts');
  const { verifyContainer } = await import('../../container/check/verify-container.ts');
  const { gateFor, openSourceFor, platformFor } = await import('../parts/image-access.ts');
  const { openStoresOf } = await import('../parts/open-parts.ts');
  const { VerificationResult } = await import('../output/verification-result.ts');
  const parts = {
    stores: await openStoresOf(context),
    gate: await gateFor(context, 'system-container', options, 'verify'),
    platform: platformFor(options),
    openRemote: options.flag('remote')
      ? (text: string) => openSourceFor(context, text, options)
      : undefined,
    signal: context.signal,
  };
  const found = summarizeContainers(context.containersDirectory).filter(
    (summary) => name === undefined || summary.name === name,
  );
  const verified: (VerifiedContainer | BrokenContainer)[] = [];
  for (const summary of found) {
    context.signal.throwIfAborted();
    if (summary.kind === 'broken') {
      verified.push({ name: summary.name, problem: summary.problem });
      continue;
    }
    const { current } = summary;
    const directory = new ContainerDirectory(context.containersDirectory, summary.name);
    const container = await verifyContainer({ directory, current }, parts);
    // What was uninstalled meanwhile has no faults.
    if (directory.currentNumber() !== undefined) verified.push(container);
  }
  const result = new VerificationResult(verified);
  if (options.flag('json')) context.printJson(result.toJson());
  else context.print(result.toText());
  return result.exitCode;
}
