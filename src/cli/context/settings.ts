// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { quote } from '../../base/printable.ts';
import type { VeritySetting } from '../../store/checkout/sealer.ts';
import type { ChunkedDiffIdSetting } from '../../store/store.ts';
import { UsageError } from '../../base/sysct-error.ts';
import type { AdditionalPlace } from '../../store/reader/open-additional-stores.ts';

/** What `sysct.toml` can set; every key has a default. */
export interface Settings {
  /** The store's directory, a host path. */
  readonly store: string;
  /** Stores that are only read. */
  readonly additionalStores: readonly AdditionalPlace[];
  /** Whether files of the store are sealed with fs-verity. */
  readonly verity: VeritySetting;
  /** Whether zstd:chunked layers that are fetched by parts must have the diffIDs that their configs name. */
  readonly chunkedDiffId: ChunkedDiffIdSetting;
  /** Units that every system container starts before: the container daemons. */
  readonly before: readonly string[];
  /** The OCI runtime, a host path or a name looked up in the usual directories. */
  readonly runtime: string | undefined;
  /** How long what a removed or replaced image name stood for is kept. */
  readonly gcGraceMs: number;
}

// The target comes first: units of ours are before it, and it is before the daemons.
const DAEMONS = [
  'system-containers.target',
  'docker.service',
  'containerd.service',
  'crio.service',
  'podman.service',
  'kubelet.service',
  'k3s.service',
];

export const DEFAULT_SETTINGS: Settings = {
  store: '/var/lib/sysct',
  additionalStores: [{ path: '/usr/lib/sysct/store', origin: 'usual' }],
  verity: 'auto',
  chunkedDiffId: 'check',
  before: DAEMONS,
  runtime: undefined,
  gcGraceMs: 0,
};

export type SettingsValues = Partial<Settings>;

/**
 * The settings of one parsed TOML document.
 * @param what the file's path, for messages.
 * @throws UsageError naming the file and the key.
 */
export function settingsFrom(
  document: Readonly<Record<string, unknown>>,
  what: string,
): SettingsValues {
  let settings: SettingsValues = {};
  for (const [key, value] of Object.entries(document)) {
    switch (key) {
      case 'store':
        settings = { ...settings, store: absolutePath(value, key, what) };
        break;
      case 'additional-stores':
        settings = { ...settings, additionalStores: places(value, key, what) };
        break;
      case 'runtime':
        settings = { ...settings, runtime: text(value, key, what) };
        break;
      case 'verity':
        settings = { ...settings, verity: veritySetting(value, key, what) };
        break;
      case 'zstd-chunked-diff-id':
        settings = { ...settings, chunkedDiffId: chunkedDiffIdSetting(value, key, what) };
        break;
      case 'before':
        settings = { ...settings, before: unitNames(value, key, what) };
        break;
      case 'gc-grace':
        settings = { ...settings, gcGraceMs: duration(value, key, what) };
        break;
      default:
        throw invalid(what, key, 'is not a setting', 'sysct.toml(5) lists the settings');
    }
  }
  return settings;
}

function text(value: unknown, key: string, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(what, key, 'is not a text', `write ${key} = "…"`);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

function duration(value: unknown, key: string, what: string): number {
  if (value === 0 || value === '0') return 0;
  const [, count, unit = ''] = /^([0-9]{1,6}) ?(s|min|h|d|w)$/.exec(String(value)) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? 0);
  if (typeof value === 'string' && Number.isSafeInteger(ms)) return ms;
  throw invalid(what, key, 'is not a time span', `write ${key} = "14d", in s, min, h, d or w`);
}

const VERITY_SETTINGS: readonly VeritySetting[] = ['auto', 'off', 'require'];

function veritySetting(value: unknown, key: string, what: string): VeritySetting {
  const found = VERITY_SETTINGS.find((setting) => setting === value);
  if (found !== undefined) return found;
  const words = VERITY_SETTINGS.map(quote).join(', ');
  throw invalid(what, key, `is none of ${words}`, `write ${key} = "auto"`);
}

function chunkedDiffIdSetting(value: unknown, key: string, what: string): ChunkedDiffIdSetting {
  if (value === 'check' || value === 'skip') return value;
  throw invalid(what, key, 'is neither "check" nor "skip"', `write ${key} = "check"`);
}

function absolutePath(value: unknown, key: string, what: string): string {
  const path = text(value, key, what);
  if (path.startsWith('/')) return path;
  throw invalid(what, key, `is not an absolute path: ${quote(path)}`, `write ${key} = "/…"`);
}

function places(value: unknown, key: string, what: string): readonly AdditionalPlace[] {
  if (!Array.isArray(value)) {
    throw invalid(what, key, 'is not a list of paths', `write ${key} = ["/…"]`);
  }
  const paths: readonly unknown[] = value;
  return paths.map((path) => {
    if (typeof path === 'string' && path.startsWith('/')) {
      return { path: posix.resolve(path), origin: 'named' };
    }
    const reason = `has ${quote(String(path))}, which is not an absolute path`;
    throw invalid(what, key, reason, `write ${key} = ["/…"]`);
  });
}

function unitNames(value: unknown, key: string, what: string): readonly string[] {
  if (Array.isArray(value)) {
    const names: readonly unknown[] = value;
    if (names.every((name) => typeof name === 'string' && /^[\w:.@\\-]+\.[a-z]+$/.test(name))) {
      return names.map(String);
    }
  }
  throw invalid(what, key, 'is not a list of unit names', `write ${key} = ["docker.service"]`);
}

function invalid(what: string, key: string, reason: string, hint: string): UsageError {
  return new UsageError(`reading settings ${what}: ${quote(key)} ${reason}`, { hint });
}
