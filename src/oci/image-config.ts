// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../base/digest.ts';
import { quote } from '../base/printable.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../base/strict-json.ts';
import { parseStringMap } from './descriptor.ts';
import { InvalidDocumentError } from './invalid-document-error.ts';
import { type Platform, platformFrom } from './platform.ts';

/** What sysct uses of image-spec v1.1.1 config.md. */
export interface ImageConfig {
  readonly platform: Platform | undefined;
  /** RFC 3339, as the builder wrote it. */
  readonly created: string | undefined;
  /** Digests of the uncompressed layers, base first. */
  readonly diffIds: readonly Digest[];
  readonly execution: ExecutionConfig;
}

export interface ExecutionConfig {
  /** `user[:group]`, names or numbers; empty means root. */
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=value`, in order. */
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly volumes: readonly string[];
  readonly exposedPorts: readonly string[];
  readonly stopSignal: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export function parseImageConfig(bytes: Buffer, what: string): ImageConfig {
  const value = parseStrictJsonValue(bytes.toString('utf8'), what);
  if (!isJsonObject(value)) throw invalid(what, 'is not a JSON object');
  const { rootfs, created } = value;
  if (!isJsonObject(rootfs) || !Array.isArray(rootfs['diff_ids']))
    throw invalid(what, 'has no rootfs.diff_ids');
  const diffIds = (rootfs['diff_ids'] as readonly JsonValue[]).map((diffId, n) => {
    if (isDigest(diffId)) return diffId;
    throw invalid(
      what,
      `rootfs.diff_ids[${n}] is ${quote(JSON.stringify(diffId))}, not sha256:<64 hex digits>`,
    );
  });
  return {
    platform: platformFrom(value),
    created: typeof created === 'string' ? created : undefined,
    diffIds,
    execution: toExecution(value['config'], what),
  };
}

function toExecution(value: JsonValue | undefined, what: string): ExecutionConfig {
  const config: JsonObject = isJsonObject(value) ? value : {};
  return {
    user: string(config, 'User', what) ?? '',
    entrypoint: strings(config, 'Entrypoint', what),
    cmd: strings(config, 'Cmd', what),
    env: strings(config, 'Env', what),
    workingDir: string(config, 'WorkingDir', what) ?? '',
    volumes: keys(config, 'Volumes', what),
    exposedPorts: keys(config, 'ExposedPorts', what),
    stopSignal: string(config, 'StopSignal', what),
    labels: parseStringMap(config['Labels'], `${what}: config.Labels`),
  };
}

function string(config: JsonObject, key: string, what: string): string | undefined {
  const value = config[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(what, `config.${key} is not a string`);
  if (value.includes('\0')) throw invalid(what, `config.${key} contains a NUL byte`);
  return value;
}

function strings(config: JsonObject, key: string, what: string): readonly string[] {
  const value = config[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(what, `config.${key} is not a list`);
  return (value as readonly JsonValue[]).map((item, n) => {
    if (typeof item !== 'string') throw invalid(what, `config.${key}[${n}] is not a string`);
    if (item.includes('\0')) throw invalid(what, `config.${key}[${n}] contains a NUL byte`);
    return item;
  });
}

function keys(config: JsonObject, key: string, what: string): readonly string[] {
  const value = config[key];
  if (value === undefined || value === null) return [];
  if (!isJsonObject(value)) throw invalid(what, `config.${key} is not an object`);
  return Object.keys(value);
}

function invalid(what: string, reason: string): InvalidDocumentError {
  return new InvalidDocumentError('INVALID_IMAGE_CONFIG', `${what}: ${reason}`);
}
