// SPDX-License-Identifier: Apache-2.0
import type { OptionSpec } from './option-spec.ts';

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

/** Options of every verb that goes by the trust policy. */
export const POLICY_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--policy FILE',
    description: "the trust policy to use instead of the host's policy.json and trust.d",
  },
  {
    flags: '--trust-dir DIR',
    description: "the directory to use instead of the host's trust.d; also with --policy",
  },
];

/** Of verbs that put images into the store. */
export const DOWNGRADE_OPTION: OptionSpec = {
  flags: '--allow-downgrade',
  description:
    'admit an image that was signed before the stored one, though the policy says noDowngrade',
};

/** Options of every verb that reads an image from somewhere, in skopeo's words. */
export const SOURCE_OPTIONS: readonly OptionSpec[] = [
  ...POLICY_OPTIONS,
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
