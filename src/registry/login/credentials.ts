// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { isJsonObject, type JsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { RegistryError } from '../http/registry-error.ts';

export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token (`identitytoken`), good only at a token server. */
  | { readonly kind: 'identity-token'; readonly token: string };

/** What an auth file says about a repository. */
export type AuthFinding =
  | { readonly kind: 'credential'; readonly credential: Credential }
  /** Ask `docker-credential-HELPER` for `registry`. */
  | { readonly kind: 'helper'; readonly helper: string; readonly registry: string };

/** One file of containers-auth.json(5); the entries are decoded when they are asked for. */
export interface AuthFile {
  readonly path: string;
  readonly auths: JsonObject;
  readonly credHelpers: JsonObject;
}

/**
 * Parses auth.json, docker's config.json, or the old `.dockercfg`, whose whole content is what the
 * others have under `auths`.
 * @throws RegistryError CONFIG naming the file and never quoting its values.
 */
export function parseAuthFile(text: string, path: string, format: 'auths' | 'dockercfg'): AuthFile {
  let value;
  try {
    value = parseStrictJsonValue(text, path);
  } catch (cause) {
    throw new RegistryError('CONFIG', messageOf(cause), { cause });
  }
  if (!isJsonObject(value)) throw invalid(path, 'is not a JSON object');
  if (format === 'dockercfg') return { path, auths: value, credHelpers: {} };
  return {
    path,
    auths: member(value, 'auths', path),
    credHelpers: member(value, 'credHelpers', path),
  };
}

/**
 * What the file knows about `repository` (`host[:port][/path]`): a helper for its host, else the entry with the
 * longest path that covers it, else an entry whose key is a URL of the host, as docker writes them. An
 * empty entry counts as none.
 * @throws RegistryError CONFIG for an entry that cannot be decoded.
 */
export function findInAuthFile(file: AuthFile, repository: string): AuthFinding | undefined {
  const [host = ''] = repository.split('/');
  const helper = Object.hasOwn(file.credHelpers, host) ? file.credHelpers[host] : undefined;
  if (typeof helper === 'string') return { kind: 'helper', helper, registry: host };
  if (helper !== undefined)
    throw invalid(file.path, `credHelpers of ${quote(host)} is not a string`);
  for (let key = repository; ; key = key.slice(0, key.lastIndexOf('/'))) {
    if (Object.hasOwn(file.auths, key)) return decodeEntry(file, key);
    if (!key.includes('/')) break;
  }
  const normal = normalHost(host);
  const url = Object.keys(file.auths).find((key) => hostOfKey(key) === normal);
  return url === undefined ? undefined : decodeEntry(file, url);
}

/** `--creds USER[:PASSWORD]`. @throws RegistryError CONFIG, never quoting the value. */
export function parseCredsOption(text: string): Credential {
  const colon = text.indexOf(':');
  const username = colon === -1 ? text : text.slice(0, colon);
  if (username === '') {
    throw new RegistryError('CONFIG', '--creds names no user', {
      hint: 'write --creds USER:PASSWORD',
    });
  }
  return { kind: 'password', username, password: colon === -1 ? '' : text.slice(colon + 1) };
}

/** The value of an `Authorization` header. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function decodeEntry(file: AuthFile, key: string): AuthFinding | undefined {
  const entry = file.auths[key];
  if (!isJsonObject(entry)) throw invalid(file.path, `entry ${quote(key)} is not an object`);
  const { identitytoken: token, auth } = entry;
  if (typeof token === 'string' && token !== '') {
    return { kind: 'credential', credential: { kind: 'identity-token', token } };
  }
  if (auth === undefined || auth === '') return undefined;
  const decoded = typeof auth === 'string' ? decodeBase64(auth) : undefined;
  const colon = decoded?.indexOf(':') ?? -1;
  if (decoded === undefined || colon === -1) {
    throw invalid(file.path, `"auth" of ${quote(key)} is not the base64 form of user:password`);
  }
  return {
    kind: 'credential',
    credential: {
      kind: 'password',
      username: decoded.slice(0, colon),
      password: decoded.slice(colon + 1).replace(/\0+$/, ''),
    },
  };
}

function decodeBase64(text: string): string | undefined {
  const compact = text.replace(/[\r\n]/g, '');
  const bytes = Buffer.from(compact, 'base64');
  // Buffer skips what is no base64; a damaged secret must not become another one.
  return bytes.toString('base64') === compact ? bytes.toString('utf8') : undefined;
}

/** Undefined for a key with the path of some of the host's repositories: its login is for no others. */
function hostOfKey(key: string): string | undefined {
  const rest = key.replace(/^https?:\/\//, '');
  const [host = ''] = rest.split('/');
  return rest === key && host !== key ? undefined : normalHost(host);
}

function normalHost(host: string): string {
  return host === 'docker.io' || host === 'registry-1.docker.io' ? 'index.docker.io' : host;
}

function member(value: JsonObject, name: string, path: string): JsonObject {
  const found = value[name];
  if (found === undefined || found === null) return {};
  if (!isJsonObject(found)) throw invalid(path, `${quote(name)} is not an object`);
  return found;
}

function invalid(path: string, reason: string): RegistryError {
  return new RegistryError('CONFIG', `${path}: ${reason}`, {
    hint: 'log in anew, for example with podman login; see containers-auth.json(5)',
  });
}
