// SPDX-License-Identifier: Apache-2.0
import { printable, quote } from '../../base/printable.ts';
import { importKeys, type Keyring, type KeyMaterial } from './openpgp.ts';
import type { KeySource } from '../policy/requirement.ts';
import { TrustError } from '../verdict/trust-error.ts';

/**
 * The keyring of one requirement. Any file that cannot be read fails the whole, as in
 * containers/image; what is no key inside a file does not, while one key is left.
 * @throws TrustError INVALID_KEYS, and whatever `readKeyFile` throws
 */
export async function loadRequirementKeys(
  keys: KeySource,
  readKeyFile: (path: string) => Promise<Buffer>,
): Promise<Keyring> {
  const keyring = await importKeys(await materials(keys, readKeyFile));
  if (keyring.keys.length > 0) return keyring;
  const problems = keyring.problems.length === 0 ? 'it names none' : keyring.problems.join('; ');
  throw new TrustError(
    'INVALID_KEYS',
    `the policy gives no OpenPGP key to verify with: ${problems}`,
    {
      hint: 'export the key with: gpg --export --armor KEY',
    },
  );
}

async function materials(
  keys: KeySource,
  readKeyFile: (path: string) => Promise<Buffer>,
): Promise<readonly KeyMaterial[]> {
  if (keys.kind === 'data') return keys.data.map((bytes) => ({ bytes, source: 'keyData' }));
  return await Promise.all(
    keys.paths.map(async (path) => ({ bytes: await readKeyFile(path), source: path })),
  );
}

/** `0123… "Alice <a@example.com>" from /etc/pki/a.gpg` for each key, for messages. */
export function describeKeys(keyring: Keyring): readonly string[] {
  return keyring.keys.map(({ fingerprint, userId, source }) => {
    const owner = userId === undefined ? '' : ` ${quote(userId)}`;
    return `${fingerprint}${owner} from ${printable(source)}`;
  });
}
