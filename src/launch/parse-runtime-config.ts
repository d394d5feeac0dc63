// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../base/printable.ts';
import { type JsonPath, parseStrictJson } from '../base/strict-json.ts';
import { InvalidDocumentError } from '../oci/invalid-document-error.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';

/**
 * Parses a config.json (runtime-spec v1.0–1.2, and the drafts before it that are in the field). Checks
 * the type of every member that sysct reads; others pass through. What is only said in another way is
 * put into today's form: capabilities given as one list, at `process` or at `linux`; `null` for nothing.
 * A key that is given twice counts where it stands last, as for the runtimes.
 *
 * @param what names the document in messages.
 * @throws InvalidDocumentError INVALID_RUNTIME_CONFIG with the JSON path of the member; InvalidJsonError
 */
export function parseRuntimeConfig(text: string, what: string): RuntimeConfig {
  // For the place of a mistake; but its numbers are rounded, and limits are of 64 bits.
  parseStrictJson(text, what, () => true);
  const value = withoutNulls(JSON.parse(text, exactIntegers as Reviver) as unknown);
  const config = withModernCapabilities(value);
  check(config, CONFIG, [], what);
  return { ...(config as object), ociVersion: (config as RuntimeConfig).ociVersion ?? '' };
}

/** The text of config.json as it is written beside the root. */
export function printRuntimeConfig(config: RuntimeConfig): string {
  const text = JSON.stringify(
    config,
    (_, value: unknown) => (typeof value === 'bigint' ? rawJson(String(value)) : value),
    2,
  );
  return `${text}\n`;
}

type Reviver = (key: string, value: unknown) => unknown;

function exactIntegers(_: string, value: unknown, context: { readonly source?: string }): unknown {
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value);
  return isRounded && /^-?\d+$/.test(context.source ?? '') ? BigInt(context.source ?? '') : value;
}

// Not in TypeScript's library yet: a value that JSON.stringify writes as it is.
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}

// Before 1.0.0-rc5 one list stood for the four sets below; before 1.0.0-rc1 it stood in `linux`.
function withModernCapabilities(value: unknown): unknown {
  if (!isObject(value) || !isObject(value['process'])) return value;
  const linux = isObject(value['linux']) ? { ...value['linux'] } : undefined;
  const list = value['process']['capabilities'] ?? linux?.['capabilities'];
  delete linux?.['capabilities'];
  if (!Array.isArray(list)) return linux === undefined ? value : { ...value, linux };
  const capabilities = { bounding: list, effective: list, inheritable: list, permitted: list };
  return {
    ...value,
    process: { ...value['process'], capabilities },
    ...(linux === undefined ? {} : { linux }),
  };
}

/** `limit`: an integer of up to 64 bits; `integer`: one that a number holds exactly. */
type Shape =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'limit'
  | { readonly list: Shape }
  | { readonly members: Readonly<Record<string, Shape>>; readonly required?: readonly string[] }
  | { readonly values: Shape };

const STRINGS: Shape = { list: 'string' };

const PROCESS: Shape = {
  members: {
    terminal: 'boolean',
    user: {
      members: {
        uid: 'integer',
        gid: 'integer',
        umask: 'integer',
        additionalGids: { list: 'integer' },
      },
    },
    args: STRINGS,
    env: STRINGS,
    cwd: 'string',
    capabilities: {
      members: {
        bounding: STRINGS,
        effective: STRINGS,
        inheritable: STRINGS,
        permitted: STRINGS,
        ambient: STRINGS,
      },
    },
    rlimits: {
      list: {
        members: { type: 'string', soft: 'limit', hard: 'limit' },
        required: ['type', 'soft', 'hard'],
      },
    },
    noNewPrivileges: 'boolean',
    selinuxLabel: 'string',
    apparmorProfile: 'string',
    oomScoreAdj: 'integer',
  },
};

const DEVICE_NUMBERS: Readonly<Record<string, Shape>> = { major: 'integer', minor: 'integer' };

const LINUX: Shape = {
  members: {
    namespaces: { list: { members: { type: 'string', path: 'string' }, required: ['type'] } },
    resources: {
      members: {
        devices: {
          list: {
            members: { allow: 'boolean', type: 'string', ...DEVICE_NUMBERS, access: 'string' },
            required: ['allow'],
          },
        },
      },
    },
    devices: {
      list: {
        members: { path: 'string', type: 'string', ...DEVICE_NUMBERS },
        required: ['path', 'type'],
      },
    },
    rootfsPropagation: 'string',
    cgroupsPath: 'string',
    maskedPaths: STRINGS,
    readonlyPaths: STRINGS,
    mountLabel: 'string',
    sysctl: { values: 'string' },
  },
};

const CONFIG: Shape = {
  members: {
    ociVersion: 'string',
    process: PROCESS,
    root: { members: { path: 'string', readonly: 'boolean' } },
    hostname: 'string',
    mounts: {
      list: {
        members: { destination: 'string', type: 'string', source: 'string', options: STRINGS },
        required: ['destination'],
      },
    },
    linux: LINUX,
    annotations: { values: 'string' },
  },
};

function check(value: unknown, shape: Shape, path: JsonPath, what: string): void {
  const expected = (description: string): InvalidDocumentError =>
    new InvalidDocumentError(
      'INVALID_RUNTIME_CONFIG',
      `${what}: ${pathText(path)} is not ${description}`,
    );
  if (typeof shape === 'string') {
    if (!isScalar(value, shape)) throw expected(SCALARS[shape]);
  } else if ('list' in shape) {
    if (!Array.isArray(value)) throw expected('a list');
    value.forEach((item, n) => {
      check(item, shape.list, [...path, n], what);
    });
  } else {
    if (!isObject(value)) throw expected('an object');
    for (const key of ('required' in shape ? shape.required : undefined) ?? []) {
      if (!(key in value)) throw expected(`complete: it has no ${quote(key)}`);
    }
    for (const [key, member] of Object.entries(value)) {
      const inner = 'values' in shape ? shape.values : ownShape(shape.members, key);
      if (inner !== undefined) check(member, inner, [...path, key], what);
    }
  }
}

function ownShape(members: Readonly<Record<string, Shape>>, key: string): Shape | undefined {
  return Object.hasOwn(members, key) ? members[key] : undefined;
}

const SCALARS = {
  string: 'a string without NUL bytes',
  boolean: 'true or false',
  integer: 'an integer',
  limit: 'an integer',
} as const;

function isScalar(value: unknown, shape: keyof typeof SCALARS): boolean {
  switch (shape) {
    case 'string':
      return typeof value === 'string' && !value.includes('\0');
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'limit':
      return Number.isSafeInteger(value) || typeof value === 'bigint';
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pathText(path: JsonPath): string {
  if (path.length === 0) return 'the document';
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${printable(step)}`))
    .join('')
    .replace(/^\./, '');
}
