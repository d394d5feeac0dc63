// SPDX-License-Identifier: Apache-2.0
import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileTrouble } from '../../base/file-trouble.ts';
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import { readPemBlocks } from '../sigstore/pem.ts';
import { parsePublicKeyFile } from '../sigstore/public-key.ts';
import { parseTrustedRoot } from '../sigstore/trusted-root.ts';
import { importKeys } from '../simple/openpgp.ts';
import { TrustError } from '../verdict/trust-error.ts';
import type { EditSession } from './edit-session.ts';

/** What a key file that the operator names is to hold. */
export type KeyKind = 'gpg' | 'public-key' | 'certificates' | 'trusted-root';

/** Where keys are copied to: beside those that distributions ship, and not in a home that others write to. */
const KEY_DIRECTORY = '/etc/pki/containers';

/**
 * The path by which the policy will name a key: that of a copy in /etc/pki/containers, which is noted
 * as a change, or, in place, the file's own.
 *
 * @param file a path of this process; with `inPlace`, a path inside the root of the session.
 * @throws UsageError for a file that does not hold such a key
 */
export async function placeKey(
  session: EditSession,
  option: string,
  file: string,
  kind: KeyKind,
  inPlace: boolean,
): Promise<string> {
  if (inPlace) {
    const path = inRoot(session, option, file);
    const bytes = await session.read(path, 'key file');
    if (bytes === undefined)
      throw new UsageError(`--${option} ${quote(file)}: there is no such file`);
    await assertKey(bytes, option, file, kind);
    return path;
  }
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new UsageError(`--${option} ${quote(file)}: ${fileTrouble(cause)}`, { cause });
  }
  await assertKey(bytes, option, file, kind);
  const path = join(KEY_DIRECTORY, basename(file));
  // One command may name a file more than once, and two of one name.
  const there = session.noted(path) ?? (await session.read(path, 'key file'));
  if (there !== undefined && !there.equals(bytes)) {
    throw new UsageError(
      `--${option} ${quote(file)}: ${quote(path)} is there already, and holds something else`,
      { hint: 'give the file another name; other scopes may use the one that is there' },
    );
  }
  session.change(path, there, bytes);
  return path;
}

function inRoot(session: EditSession, option: string, file: string): string {
  if (session.host.isRunningHost) {
    try {
      return realpathSync(file);
    } catch (cause) {
      throw new UsageError(`--${option} ${quote(file)}: ${fileTrouble(cause)}`, { cause });
    }
  }
  if (file.startsWith('/')) return file;
  throw new UsageError(`--${option} ${quote(file)}: is not absolute`, {
    hint: 'with --root and --key-in-place it is a path inside the root',
  });
}

async function assertKey(
  bytes: Buffer,
  option: string,
  file: string,
  kind: KeyKind,
): Promise<void> {
  const what = `--${option} ${quote(file)}`;
  if (isSecret(bytes)) {
    throw new UsageError(`${what} holds a secret key, which has no place in a policy`, {
      hint: 'give the public key',
    });
  }
  switch (kind) {
    case 'gpg': {
      const { keys, problems } = await importKeys([{ bytes, source: file }]);
      if (keys.length > 0) return;
      throw new UsageError(`${what} holds no OpenPGP key: ${problems.join('; ')}`, {
        hint: 'export it with: gpg --export --armor KEY',
      });
    }
    case 'public-key':
    case 'trusted-root':
      try {
        if (kind === 'public-key') parsePublicKeyFile(bytes, file);
        else parseTrustedRoot(bytes, file);
        return;
      } catch (cause) {
        if (!(cause instanceof TrustError)) throw cause;
        throw new UsageError(`--${option}: ${cause.message}`, { cause, hint: cause.hint });
      }
    case 'certificates':
      if (readPemBlocks(bytes.toString('latin1'))?.some(({ label }) => label === 'CERTIFICATE'))
        return;
      throw new UsageError(`${what} holds no certificate in PEM`);
  }
}

/** Whether the bytes are, or begin with, the secret half of a key: armored or PEM, or an OpenPGP secret-key packet. */
function isSecret(bytes: Buffer): boolean {
  const [first = 0] = bytes;
  const isSecretPacket = first === 0xc5 || (first >= 0x94 && first <= 0x97);
  return isSecretPacket || /-----BEGIN [A-Z ]*PRIVATE KEY/.test(bytes.toString('latin1'));
}
