// SPDX-License-Identifier: Apache-2.0
// The values of an image's template variables. The first source that has one wins:
//
//   forced    what sysct itself decides: NAME, DESTDIR, EXEC_START, …
//   set       --set of this command
//   stored    --set of an earlier command, and the container's UUID
//   host      what the host is like: RUN_DIRECTORY, RUNTIME, ALL_PROCESS_CAPABILITIES, …
//   default   the image's manifest.json
//
// Only what a person set is carried from one generation to the next; host values and defaults are found
// anew, so that they can change with the host and the image (docs/adr/0062).
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import type { TemplateValues } from '../../template/render-template.ts';
import { isVariableName } from '../../template/parse-template.ts';
import type { RecordedValue, ValueOrigin } from '../record/generation.ts';

/** Values that nobody can override; all are host paths or texts as templates show them. */
export interface ForcedValues {
  /** The generation's directory, which holds config.json. */
  readonly DESTDIR: string;
  readonly NAME: string;
  /** The Exec values are unit file text: command lines as they stand behind `ExecStart=`. */
  readonly EXEC_START: string;
  readonly EXEC_STOP: string;
  readonly EXEC_STARTPRE: string;
  readonly EXEC_STOPPOST: string;
  readonly HOST_UID: string;
  readonly HOST_GID: string;
  /** As the user named the image. */
  readonly IMAGE_NAME: string;
  /** 64 hex digits. */
  readonly IMAGE_ID: string;
}

/** What the host gives to templates; `--set` overrides each of them. */
export interface HostValues {
  readonly RUN_DIRECTORY: string;
  readonly CONF_DIRECTORY: string;
  readonly STATE_DIRECTORY: string;
  /** Host path of the OCI runtime. */
  readonly RUNTIME: string;
  /** Host path of the sysct program, under the name that its ancestor's images know. */
  readonly ATOMIC: string;
  /** `CAP_…` names that services of this host can hold, in the kernel's order. */
  readonly capabilities: readonly string[];
  /** A random UUID, for containers that have none yet. */
  readonly newUuid: string;
}

export interface ValueSources {
  readonly forced: ForcedValues;
  /** See {@link parseSetOptions}. */
  readonly set: ReadonlyMap<string, string>;
  /** `values` of the container's previous generation; empty at first. */
  readonly stored: Readonly<Record<string, RecordedValue>>;
  readonly host: HostValues;
  readonly defaults: ReadonlyMap<string, string>;
}

/** The variables whose values are unit file text already; see {@link ForcedValues}. */
export const EXEC_VARIABLES: ReadonlySet<string> = new Set([
  'EXEC_START',
  'EXEC_STOP',
  'EXEC_STARTPRE',
  'EXEC_STOPPOST',
]);

const FORCED_NAMES: ReadonlySet<string> = new Set([
  ...EXEC_VARIABLES,
  'DESTDIR',
  'NAME',
  'HOST_UID',
  'HOST_GID',
  'IMAGE_NAME',
  'IMAGE_ID',
]);

/** Where root's system containers keep things; `HostValues` that do not depend on the host. */
export const SYSTEM_DIRECTORIES = {
  RUN_DIRECTORY: '/run',
  CONF_DIRECTORY: '/etc',
  STATE_DIRECTORY: '/var/lib',
} as const;

export interface ResolvedValues {
  readonly values: ReadonlyMap<string, RecordedValue>;
  /** Defaults of the image that lost against a differing host value, one sentence each. */
  readonly notes: readonly string[];
}

/** The value of every variable, with where it came from. */
export function resolveValues(sources: ValueSources): ResolvedValues {
  const values = new Map<string, RecordedValue>();
  const add = (from: ValueOrigin, entries: Iterable<readonly [string, string]>): void => {
    for (const [name, value] of entries) if (!values.has(name)) values.set(name, { value, from });
  };
  add('forced', Object.entries(sources.forced));
  add('set', sources.set);
  add('stored', storedValues(sources.stored));
  add('host', hostValues(sources.host));
  const runDirectory = values.get('RUN_DIRECTORY')?.value ?? sources.host.RUN_DIRECTORY;
  add('host', [['PIDFILE', `${runDirectory}/container-${sources.forced.NAME}.pid`]]);
  const notes = overruledDefaults(sources.defaults, values);
  add('default', sources.defaults);
  add('host', [['UUID', sources.host.newUuid]]);
  return { values, notes };
}

/** The texts alone, as templates take them. */
export function templateValues(values: ReadonlyMap<string, RecordedValue>): TemplateValues {
  return new Map([...values].map(([name, { value }]) => [name, value]));
}

/**
 * Reads the arguments of `--set`; the last one for a name counts.
 *
 * @throws UsageError for text without `=`, for names that no template can hold, and for variables that sysct decides itself.
 */
export function parseSetOptions(options: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const option of options) {
    const equals = option.indexOf('=');
    const name = option.slice(0, equals);
    if (equals === -1) {
      throw new UsageError(`--set ${quote(option)} has no "="`, { hint: 'write --set NAME=VALUE' });
    }
    if (!isVariableName(name)) {
      throw new UsageError(`--set ${quote(name)} is not the name of a variable`, {
        hint: 'names are letters, digits and _, and start with no digit',
      });
    }
    if (FORCED_NAMES.has(name)) {
      throw new UsageError(`--set ${name} is not possible: sysct decides this value itself`, {
        hint: name === 'NAME' ? 'choose the name with --name' : `leave --set ${name} out`,
      });
    }
    values.set(name, option.slice(equals + 1));
  }
  return values;
}

function* storedValues(
  stored: Readonly<Record<string, RecordedValue>>,
): Generator<readonly [string, string], void, undefined> {
  for (const [name, { value, from }] of Object.entries(stored)) {
    if (from === 'set' || from === 'stored' || name === 'UUID') yield [name, value];
  }
}

function hostValues(host: HostValues): readonly (readonly [string, string])[] {
  return [
    ['RUN_DIRECTORY', host.RUN_DIRECTORY],
    ['CONF_DIRECTORY', host.CONF_DIRECTORY],
    ['STATE_DIRECTORY', host.STATE_DIRECTORY],
    ['RUNTIME', host.RUNTIME],
    ['ATOMIC', host.ATOMIC],
    ['ALL_PROCESS_CAPABILITIES', host.capabilities.map((name) => `"${name}"`).join(',\n')],
  ];
}

function overruledDefaults(
  defaults: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, RecordedValue>,
): readonly string[] {
  return [...defaults].flatMap(([name, value]) => {
    const winner = values.get(name);
    if (winner?.from !== 'host' || winner.value === value) return [];
    return [
      `the image's default ${quote(value)} for ${name} does not count: the host says ${quote(winner.value)}`,
    ];
  });
}
