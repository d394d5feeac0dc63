// SPDX-License-Identifier: Apache-2.0
// What a power cut falls into: edits of a trust policy from the first on, and decisions by that policy, on one site in this order.
import { type AppVersion, OPEN_IMAGES, type TrustSite } from '../support/trust/trust-site.ts';

export interface TrustStep {
  readonly name: string;
  /** What is there before; made durable. */
  readonly given?: (site: TrustSite) => Promise<void> | void;
  /** Asserts its exit status; may be done again, also when it is done. */
  readonly act: (site: TrustSite) => Promise<void>;
}

/** A command line of `sysct trust`; what begins with `@` is a file of the sources, also behind a transport. */
function edit(name: string, text: string, given?: TrustStep['given']): TrustStep {
  return {
    name,
    ...(given === undefined ? {} : { given }),
    act: async (site) => {
      await site.exits(0, ['trust', ...text.split(' ').map((word) => placed(site, word))]);
    },
  };
}

function decide(
  name: string,
  status: number,
  text: string,
  app: AppVersion,
  given?: TrustStep['given'],
): TrustStep {
  return {
    name,
    ...(given === undefined ? {} : { given }),
    act: async (site) => {
      site.sources.publish(app);
      await site.exits(
        status,
        text.split(' ').map((word) => placed(site, word)),
      );
    },
  };
}

function placed({ sources }: TrustSite, word: string): string {
  return word.replace('@', `${sources.directory}/`);
}

export const TRUST_STEPS: readonly TrustStep[] = [
  edit(
    'the first policy, with a key',
    'allow dir:@app --gpg-key @alice.gpg --signed-identity exactRepository=registry.example/app',
  ),
  edit('the first rule of trust.d', 'require dir: --no-downgrade'),
  edit('a scope without signatures', 'allow oci:@open --unsigned'),
  edit(
    'a scope with a lookaside',
    'allow quay.io/a --gpg-key @alice.gpg --lookaside https://s.example/',
  ),
  edit(
    'a scope with a key and attachments, in files with attributes',
    'allow ghcr.io/b --sigstore-key @release.pub --sigstore-attachments',
    async (site) => {
      await site.dress();
    },
  ),
  edit('a requirement with a key', 'require quay.io/a --attested spdx --sigstore-key @builder.pub'),
  edit(
    'a scope that moves to trust.d',
    'allow ghcr.io/b --gpg-key @alice.gpg --sigstore-key @release.pub --min 2',
  ),
  edit('a scope that is rejected', 'reject ghcr.io/b'),
  decide('a first pull', 0, 'pull --quiet dir:@app', 'january'),
  decide('the pull of a newer image', 0, 'pull --quiet dir:@app', 'february'),
  decide('the pull of an older image', 5, 'pull --quiet dir:@app', 'january'),
  decide('the pull of an unsigned image', 5, 'pull --quiet dir:@unsigned', 'january'),
  decide('going back', 0, 'pull --quiet --allow-downgrade dir:@app', 'january'),
  decide('a check', 0, 'verify dir:@app', 'january'),
  {
    name: 'many pulls at once',
    act: async (site) => {
      const pulls = Array.from({ length: OPEN_IMAGES - 2 }, async (_, n) => {
        await site.exits(0, ['pull', '--quiet', placed(site, `oci:@open/${n}`)]);
      });
      await Promise.all(pulls);
    },
  },
  decide(
    'a pull behind a torn line',
    0,
    `pull --quiet oci:@open/${OPEN_IMAGES - 2}`,
    'january',
    (site) => {
      site.tearLedger();
    },
  ),
  decide(
    'a pull that gives up a full ledger for a new one',
    0,
    `pull --quiet oci:@open/${OPEN_IMAGES - 1}`,
    'january',
    (site) => {
      site.fillLedger();
    },
  ),
];
