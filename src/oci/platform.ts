// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import { isJsonObject, type JsonValue } from '../base/strict-json.ts';
import { InvalidDocumentError } from './invalid-document-error.ts';

/** image-spec v1.1.1 image-index.md `platform`, in Go's words: `linux/amd64`, `linux/arm/v7`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

const PART = /^[a-z0-9_.]+$/;

/** Parses `os/architecture[/variant]`, the form of `--platform`. */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant = '', ...rest] = text.split('/');
  const parts = [os ?? '', architecture ?? ''];
  if (
    rest.length > 0 ||
    !parts.every((part) => PART.test(part)) ||
    (variant !== '' && !PART.test(variant))
  ) {
    throw new InvalidDocumentError('INVALID_PLATFORM', `${quote(text)} is not a platform`, {
      hint: 'write OS/ARCHITECTURE[/VARIANT], for example linux/arm64',
    });
  }
  return normalize({ os: parts[0] ?? '', architecture: parts[1] ?? '', variant });
}

/** The platform member of an index entry or of an image config; undefined where it is absent or incomplete. */
export function platformFrom(value: JsonValue | undefined): Platform | undefined {
  if (!isJsonObject(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return normalize({ os, architecture, variant: typeof variant === 'string' ? variant : '' });
}

/** The platform of a machine, from `process.arch`. */
export function platformOfNode(arch: string): Platform {
  const names: Readonly<Record<string, Platform>> = {
    x64: { os: 'linux', architecture: 'amd64', variant: '' },
    arm64: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
    ia32: { os: 'linux', architecture: '386', variant: '' },
  };
  return names[arch] ?? { os: 'linux', architecture: arch, variant: '' };
}

/** True when an image built for `offered` is what a request for `wanted` means: an absent variant matches any. */
export function platformMatches(wanted: Platform, offered: Platform): boolean {
  return (
    wanted.os === offered.os &&
    wanted.architecture === offered.architecture &&
    (wanted.variant === offered.variant || wanted.variant === '' || offered.variant === '')
  );
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant]
    .filter((part) => part !== '')
    .join('/');
}

function normalize(platform: Platform): Platform {
  const aliases: Readonly<Record<string, string>> = {
    x86_64: 'amd64',
    'x86-64': 'amd64',
    aarch64: 'arm64',
  };
  const architecture = aliases[platform.architecture] ?? platform.architecture;
  const variant = architecture === 'arm64' && platform.variant === '' ? 'v8' : platform.variant;
  return { os: platform.os, architecture, variant };
}
