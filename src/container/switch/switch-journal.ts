// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../base/sysct-error.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import { writeFileDurably } from '../../sys/durable-file.ts';
import { ContainerError } from '../record/container-error.ts';
import type { HostChange } from '../record/host-change.ts';

/**
 * `containers/NAME/switch.json` exists exactly while a switch of NAME is under way:
 *
 *   write journal → change the host → reload, enable, start → point `current` at N → remove journal
 *
 * Whoever finds it without its writer's lock puts the host back: an unfinished install is undone, an
 * unfinished uninstall is finished. Every step is idempotent, so a recovery may be killed as well.
 */
export interface SwitchJournal {
  readonly version: 1;
  readonly action: 'install' | 'uninstall';
  readonly generation: number;
  readonly units: readonly string[];
  readonly changes: readonly HostChange[];
  /** Directories that systemd-tmpfiles may have made: removed again where they are empty. */
  readonly stateDirectories: readonly string[];
  /** Those above them that it made on the way. */
  readonly stateParents: readonly string[];
}

const FILE = 'switch.json';

export function writeJournal(containerDirectory: string, journal: SwitchJournal): void {
  writeFileDurably(join(containerDirectory, FILE), `${JSON.stringify(journal)}\n`, 0o600);
}

export function readJournal(containerDirectory: string): SwitchJournal | undefined {
  const path = join(containerDirectory, FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  const value = parseStrictJsonValue(text, path);
  if (!isJsonObject(value) || value['version'] !== 1) {
    throw new ContainerError(
      'CONTAINER_BROKEN',
      `reading ${path}: it is of a version that this sysct does not know`,
      {
        hint: 'use the sysct that wrote it',
      },
    );
  }
  if (isWhole(value)) return value as unknown as SwitchJournal;
  throw new ContainerError('CONTAINER_BROKEN', `reading ${path}: it is damaged`, {
    hint: `put the host right by hand, as far as the file tells how, then remove ${containerDirectory}`,
  });
}

function isWhole(value: JsonObject): boolean {
  const { action, generation, units, changes, stateDirectories, stateParents = [] } = value;
  const lists = [units, stateDirectories, stateParents];
  return (
    (action === 'install' || action === 'uninstall') &&
    Number.isSafeInteger(generation) &&
    lists.every((list) => Array.isArray(list) && list.every((item) => typeof item === 'string')) &&
    Array.isArray(changes) &&
    changes.every(isChange)
  );
}

function isChange(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const { kind, path, digest, target } = value;
  if (typeof path !== 'string' || !path.startsWith('/')) return false;
  return (
    kind === 'directory' ||
    (kind === 'file' && typeof digest === 'string') ||
    (kind === 'symlink' && typeof target === 'string')
  );
}
