// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../base/digest.ts';
import { quote } from '../base/printable.ts';
import { InvalidDocumentError } from './invalid-document-error.ts';

/**
 * A fully expanded `registry/repository[:tag][@digest]`, after the grammar of
 * github.com/distribution/reference: `etcd` reads as `docker.io/library/etcd`.
 */
export interface Reference {
  /** Host and port as written, case kept: `quay.io`, `registry.example:5000`. */
  readonly registry: string;
  /** Path below the registry, without a leading slash: `coreos/etcd`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(
  `^(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`,
);
const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PATH_COMPONENT}(?:/${PATH_COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const BARE_ID = /^[0-9a-f]{64}$/;
const MAX_NAME = 255;

/** @throws InvalidDocumentError INVALID_REFERENCE */
export function parseReference(text: string): Reference {
  if (BARE_ID.test(text)) throw invalid(text, 'is an image ID, not a name');
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, `digest ${quote(digest)} is not sha256:<64 hex digits>`);
  }
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const tag = colon > named.lastIndexOf('/') ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `tag ${quote(tag)} is not valid`);
  const { registry, repository } = splitName(tag === undefined ? named : named.slice(0, colon));
  if (!DOMAIN.test(registry))
    throw invalid(text, `registry ${quote(registry)} is not a host[:port]`);
  if (!REPOSITORY.test(repository)) {
    const hint = repository === repository.toLowerCase() ? '' : '; repository names are lower case';
    throw invalid(text, `repository ${quote(repository)} is not valid${hint}`);
  }
  if (registry.length + 1 + repository.length > MAX_NAME) {
    throw invalid(text, `name is longer than ${MAX_NAME} characters`);
  }
  return { registry, repository, tag, digest };
}

/** True when the text names its registry itself, instead of leaving it to the docker.io default or a short-name alias. */
export function isFullyQualified(text: string): boolean {
  const slash = text.indexOf('/');
  return slash !== -1 && looksLikeHost(text.slice(0, slash));
}

/** `registry/repository`, the name without tag and digest. */
export function repositoryName(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** The whole reference; with neither tag nor digest just the name. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${repositoryName(reference)}${tag}${digest}`;
}

/** The reference with the tag `latest` where it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: 'latest' }
    : reference;
}

function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const [registry, rest] = looksLikeHost(first)
    ? [first, name.slice(slash + 1)]
    : ['docker.io', name];
  if (registry !== 'docker.io' && registry !== 'index.docker.io')
    return { registry, repository: rest };
  return { registry: 'docker.io', repository: rest.includes('/') ? rest : `library/${rest}` };
}

function looksLikeHost(first: string): boolean {
  return first.includes('.') || first.includes(':') || first === 'localhost';
}

function invalid(text: string, reason: string): InvalidDocumentError {
  return new InvalidDocumentError('INVALID_REFERENCE', `image name ${quote(text)}: ${reason}`, {
    hint: 'write REGISTRY/REPOSITORY[:TAG][@DIGEST], for example quay.io/coreos/etcd:v3.5',
  });
}
