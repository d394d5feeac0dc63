// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../../base/printable.ts';
import { InvalidJsonError, isJsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import { messageOf, SysctError } from '../../base/sysct-error.ts';
import { type ProcessResult, runProcess } from '../../sys/process.ts';
import type { Credential } from './credentials.ts';
import { RegistryError } from '../http/registry-error.ts';

const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const TIMEOUT_MS = 60_000;

/** What docker's helper protocol says in place of a user name when the secret is an identity token. */
const TOKEN_USER = '<token>';

/**
 * Asks `docker-credential-NAME get` for a registry's login; undefined where it knows none.
 * @param env its environment; PATH in it finds the program.
 * @throws RegistryError CONFIG when the helper is missing or fails; what it printed is not quoted where it may be a secret.
 */
export async function askCredentialHelper(
  name: string,
  registry: string,
  env: Readonly<NodeJS.ProcessEnv>,
  signal: AbortSignal,
): Promise<Credential | undefined> {
  if (!HELPER_NAME.test(name)) {
    throw new RegistryError('CONFIG', `credential helper ${quote(name)} is not a plain name`);
  }
  const program = `docker-credential-${name}`;
  const result = await run(program, registry, env, signal);
  const said = result.stdout.toString('utf8').trim();
  if (result.exitCode === 0) return parseAnswer(said, program, registry);
  // "credentials not found in native keychain" is how helpers say no; the status is the same as for failures.
  if (/not found/i.test(said) || /not found/i.test(result.stderr)) return undefined;
  const why = printable(said.split('\n')[0] ?? '');
  throw new RegistryError(
    'CONFIG',
    `asking ${program} for ${registry}: it exited with ${result.exitCode}: ${why}`,
    { hint: `try: echo ${registry} | ${program} get` },
  );
}

async function run(
  program: string,
  registry: string,
  env: Readonly<NodeJS.ProcessEnv>,
  signal: AbortSignal,
): Promise<ProcessResult> {
  try {
    return await runProcess(program, ['get'], {
      input: registry,
      env,
      signal,
      timeoutMs: TIMEOUT_MS,
    });
  } catch (cause) {
    if (!(cause instanceof SysctError)) throw cause;
    const hint = 'install the helper, or remove it from auth.json and registries.conf';
    throw new RegistryError('CONFIG', messageOf(cause), { cause, hint });
  }
}

function parseAnswer(said: string, program: string, registry: string): Credential | undefined {
  let answer;
  try {
    answer = parseStrictJsonValue(said, program);
  } catch (cause) {
    if (!(cause instanceof InvalidJsonError)) throw cause;
  }
  if (!isJsonObject(answer)) throw unusable(program, registry);
  const { Username: username, Secret: secret } = answer;
  if (typeof username !== 'string' || typeof secret !== 'string') throw unusable(program, registry);
  if (username === TOKEN_USER) return { kind: 'identity-token', token: secret };
  return username === '' && secret === ''
    ? undefined
    : { kind: 'password', username, password: secret };
}

function unusable(program: string, registry: string): RegistryError {
  return new RegistryError(
    'CONFIG',
    `asking ${program} for ${registry}: its answer is not JSON with Username and Secret`,
  );
}
