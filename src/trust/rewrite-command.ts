// SPDX-License-Identifier: Apache-2.0
import { shellQuote } from '../base/shell-quote.ts';
import type { KeySource, Requirement } from './policy/requirement.ts';

/** The command that writes a requirement again with something added. */
export class Rewrite {
  readonly #start: string;
  readonly #keys: string | undefined;
  readonly #identity: string | undefined;

  /** @param also whether the requirement is one that must hold in addition */
  constructor(scope: string, requirement: Requirement, also: true | undefined) {
    this.#start = `sysct trust ${also === true ? 'require' : 'allow'} ${scope}`;
    const keys = keyOptions(requirement);
    const manifest = manifestOption(requirement);
    this.#keys = keys === undefined || manifest === undefined ? keys : `${keys} ${manifest}`;
    this.#identity = identityOption(requirement);
  }

  /** The command that writes another requirement in its place. */
  insteadOf(options: string): string {
    return `${this.#start} ${options}`;
  }

  /** Undefined where the keys stand in the policy itself: there is no file to name. */
  with(option: string): string | undefined {
    return this.withIdentity(
      [this.#identity, option].filter((part) => part !== undefined).join(' '),
    );
  }

  /** As {@link with}, where the option says which name a signature must be for. */
  withIdentity(option: string): string | undefined {
    return this.#keys === undefined
      ? undefined
      : `${this.#start} ${this.#keys} --key-in-place ${option}`;
  }
}

function keyOptions(requirement: Requirement): string | undefined {
  if (requirement.type === 'signedBy') return pathOptions('--gpg-key', requirement.keys);
  if (requirement.type !== 'sigstoreSigned') return undefined;
  const { trust, rekorKeys } = requirement;
  const rekor = rekorKeys === undefined ? '' : pathOptions('--rekor-key', rekorKeys);
  if (rekor === undefined || trust.kind === 'pki' || trust.kind === 'keyless') return undefined;
  if (trust.kind === 'keys') {
    const keys = pathOptions('--sigstore-key', trust.keys);
    return keys === undefined ? undefined : `${keys} ${rekor}`.trim();
  }
  const ca = pathOptions('--fulcio-ca', trust.ca);
  if (ca === undefined) return undefined;
  const who = `--issuer ${shellQuote(trust.oidcIssuer)} --subject ${shellQuote(trust.subjectEmail)}`;
  return `--keyless ${who} ${ca} ${rekor}`;
}

/** What `--signed-identity` says it with; undefined for the identity that is taken without one. */
function identityOption(requirement: Requirement): string | undefined {
  if (requirement.type !== 'signedBy' && requirement.type !== 'sigstoreSigned') return undefined;
  const identity = requirement.signedIdentity;
  const value = (text: string) => `--signed-identity ${shellQuote(`${identity.type}${text}`)}`;
  switch (identity.type) {
    case 'matchRepoDigestOrExact':
      return undefined;
    case 'matchDigest':
      return '--bundles';
    case 'matchExact':
    case 'matchRepository':
      return value('');
    case 'exactReference':
      return value(`=${identity.dockerReference}`);
    case 'exactRepository':
      return value(`=${identity.dockerRepository}`);
    case 'remapIdentity':
      return value(`=${identity.prefix}=${identity.signedPrefix}`);
  }
}

function manifestOption(requirement: Requirement): string | undefined {
  return 'signedManifest' in requirement && requirement.signedManifest !== 'instance'
    ? `--signed-manifest ${requirement.signedManifest}`
    : undefined;
}

function pathOptions(option: string, keys: KeySource): string | undefined {
  return keys.kind === 'paths'
    ? keys.paths.map((path) => `${option} ${shellQuote(path)}`).join(' ')
    : undefined;
}
