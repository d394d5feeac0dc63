// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';

/**
 * What a user may name as the source of an image, in skopeo's words (containers-transports(5)).
 * A text without a transport is a registry reference.
 */
export type SourceName =
  | { readonly transport: 'docker'; readonly reference: string }
  | {
      readonly transport: 'oci' | 'oci-archive';
      readonly path: string;
      readonly image: string | undefined;
    }
  | {
      readonly transport: 'docker-archive';
      readonly path: string;
      readonly image: string | undefined;
    }
  | { readonly transport: 'dir'; readonly path: string };

const TRANSPORTS_ELSEWHERE = [
  'containers-storage',
  'docker-daemon',
  'ostree',
  'sif',
  'tarball',
  'http',
  'https',
];

/** @throws UsageError for a transport that sysct has not, a path without one, or an empty path. */
export function parseSourceName(text: string): SourceName {
  if (/^\.{0,2}\//.test(text))
    throw new UsageError(`image source ${quote(text)}: is a path, and says not what of`, {
      hint: 'write oci-archive:, docker-archive:, oci: or dir: in front of it',
    });
  const colon = text.indexOf(':');
  const transport = colon === -1 ? '' : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  switch (transport) {
    case 'docker':
      // `docker:5000/x` is no transport but a host; skopeo's transport always has the slashes.
      if (rest.startsWith('//')) return { transport, reference: rest.slice(2) };
      return { transport: 'docker', reference: text };
    case 'oci':
    case 'oci-archive':
    case 'docker-archive':
      return { transport, ...splitImage(rest, text) };
    case 'dir':
      return { transport, path: nonEmpty(rest, text) };
    default:
      if (TRANSPORTS_ELSEWHERE.includes(transport) && !/^[0-9]+\//.test(rest)) {
        throw new UsageError(
          `image source ${quote(text)}: sysct cannot read ${transport}: sources`,
          {
            hint: transport.startsWith('http')
              ? `leave ${transport}:// out`
              : 'copy the image to oci:DIR or a registry first, for example with skopeo copy',
          },
        );
      }
      return { transport: 'docker', reference: text };
  }
}

function splitImage(rest: string, text: string): { path: string; image: string | undefined } {
  const colon = rest.indexOf(':');
  if (colon === -1) return { path: nonEmpty(rest, text), image: undefined };
  const image = rest.slice(colon + 1);
  return { path: nonEmpty(rest.slice(0, colon), text), image: image === '' ? undefined : image };
}

function nonEmpty(path: string, text: string): string {
  if (path !== '') return path;
  throw new UsageError(`image source ${quote(text)} names no path`);
}
