// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import { parseSourceName } from '../../image/source/source-name.ts';
import type { Reference } from '../../oci/reference.ts';
import { escapeUnitName } from '../../systemd/unit-escape.ts';

/** A container's name: safe as a path component, in the name of a unit, and as an argument. */
export type ContainerName = string & { readonly __containerName: true };

// With `run-sysct-NAME-NUMBER-rootfs.mount` around it, a unit's name still fits in its 255 bytes.
const MAX_ESCAPED = 200;

/**
 * `[a-zA-Z0-9:_.@-]+` that does not start with `.`, `-` or `@`, does not end in `@` (that is a
 * template unit), has no `..`, and is at most 200 bytes long when escaped for unit names (each `-` and
 * `@` counts four).
 *
 * @throws UsageError
 */
export function parseContainerName(text: string): ContainerName {
  const reason = unfitBecause(text);
  if (reason === undefined) return text as ContainerName;
  throw new UsageError(`container name ${quote(text)} ${reason}`, {
    hint: 'choose one with --name, for example --name etcd',
  });
}

/**
 * The name for an image that is installed without `--name`: the last part of the repository, with `-TAG`
 * when the tag is not `latest`. A digest does not count. Archives and directories need not carry a
 * reference: theirs is the name of the file, without `.tar`.
 *
 * @param source as the user gave it: `oci-archive:/srv/etcd.tar`.
 * @throws UsageError when that is no fit name.
 */
export function defaultContainerName(
  reference: Reference | undefined,
  source: string,
): ContainerName {
  if (reference !== undefined) {
    const last = reference.repository.slice(reference.repository.lastIndexOf('/') + 1);
    const { tag } = reference;
    return parseContainerName(tag === undefined || tag === 'latest' ? last : `${last}-${tag}`);
  }
  const name = parseSourceName(source);
  if (name.transport !== 'docker') {
    return parseContainerName(posix.basename(name.path).replace(/\.tar$/, ''));
  }
  throw new UsageError('the image carries no name to call its container by', {
    hint: 'choose one with --name',
  });
}

function unfitBecause(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (!/^[a-zA-Z0-9:_.@-]+$/.test(text)) return 'has characters other than a-z A-Z 0-9 : _ . @ -';
  if (/^[.@-]/.test(text)) return `starts with ${quote(text.slice(0, 1))}`;
  if (text.endsWith('@')) return 'ends in "@"';
  if (text.includes('..')) return 'has ".." in it';
  if (escapeUnitName(text).length > MAX_ESCAPED) return 'is too long';
  return undefined;
}
