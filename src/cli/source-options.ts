// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageSource } from '../image/image-source.ts';
import { openSource } from '../image/open-source.ts';
import type { Purpose, TrustGate } from '../image/trust-gate.ts';
import { parsePlatform, platformOfNode, type Platform } from '../oci/platform.ts';
import { loadPolicy } from '../trust/policy-file.ts';
import type { Context } from './context.ts';
import type { OptionValues } from './option-values.ts';
import type { OptionSpec } from './option-spec.ts';
import { VERSION } from './version.ts';

/** Options of verbs that talk to registries. */
export const REGISTRY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--authfile FILE', description: 'logins, instead of the usual auth.json files' },
  {
    flags: '--creds USER:PASSWORD',
    description: 'the login for the registry; never sent to another host',
  },
  { flags: '--cert-dir DIR', description: 'certificates for the registry, instead of certs.d' },
  {
    flags: '--tls-verify[=BOOL]',
    description: 'whether to check the certificate of the registry, default true',
  },
  {
    flags: '--retry N',
    description: 'tries after a failed one without progress in between, default 5',
  },
  {
    flags: '--retry-delay TIME',
    description:
      'the time between tries, such as 5s or 1m30s, default 1s and twice as long each time',
  },
];

/** Options of every verb that reads an image from somewhere, in skopeo's words. */
export const SOURCE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--policy FILE',
    description: "the trust policy to use instead of the host's policy.json",
  },
  {
    flags: '--platform OS/ARCH',
    description: "the platform to choose from an index, default this machine's",
  },
  ...REGISTRY_OPTIONS,
];

/** Options of verbs whose work can take long. */
export const PROGRESS_OPTIONS: readonly OptionSpec[] = [
  { flags: '-q, --quiet', description: 'print only the result' },
  { flags: '--progress-fd N', description: 'report progress as JSON lines on descriptor N' },
];

/** Opens the source that the user named, with the options of {@link SOURCE_OPTIONS}. */
export async function openSourceFor(
  context: Context,
  text: string,
  options: OptionValues,
): Promise<ImageSource> {
  const scratchDirectory = join(context.storeDirectory, 'txn');
  if (/^(oci|docker)-archive:/.test(text))
    mkdirSync(scratchDirectory, { recursive: true, mode: 0o700 });
  return await openSource(text, {
    host: context.host,
    env: context.env,
    version: VERSION,
    log: context.log,
    signal: context.signal,
    registry: {
      authfile: options.text('authfile'),
      creds: options.text('creds'),
      certDir: options.text('cert-dir'),
      tlsVerify: options.boolean('tls-verify'),
      retries: options.number('retry', 0),
      retryDelayMs: options.durationMs('retry-delay'),
    },
    scratchDirectory,
  });
}

export function platformFor(options: OptionValues): Platform {
  const text = options.text('platform');
  return text === undefined ? platformOfNode(process.arch) : parsePlatform(text);
}

export async function gateFor(
  context: Context,
  purpose: Purpose,
  options: OptionValues,
): Promise<TrustGate> {
  const override = options.text('policy');
  return {
    loaded: await loadPolicy({ host: context.host, override, env: context.env }),
    purpose,
    allowUnsigned: options.flag('allow-unsigned'),
    now: () => context.now(),
    signal: context.signal,
  };
}
