// SPDX-License-Identifier: Apache-2.0
import type { OptionSpec } from '../options/option-spec.ts';
import type { ArgumentSpec } from './verb.ts';

/** Options of every verb that edits the trust policy. */
export const EDIT_OPTIONS: readonly OptionSpec[] = [
  { flags: '--policy FILE', description: "the file to edit instead of the host's policy.json" },
  {
    flags: '--trust-dir DIR',
    description: "with --policy: the directory to edit instead of the host's trust.d",
  },
  { flags: '--dry-run', description: 'print what would change as a diff, and change nothing' },
];

export const SCOPE_ARGUMENT: ArgumentSpec = {
  name: 'SCOPE',
  description:
    'REGISTRY[/PATH[:TAG]] or *.DOMAIN, names in full (docker.io/library/busybox); with the transport in front for others: oci:/srv/images, dir:/srv, docker-archive:',
  arity: 'one',
};
