// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { ProcessError, runChecked } from '../../sys/process.ts';
import { parseSignatureBlob } from '../lookaside/signature-blob.ts';
import { TrustError } from '../verdict/trust-error.ts';

export interface GpgSigner {
  /** As gpg's `--local-user` takes it: a fingerprint, an address. */
  readonly key: string;
  /** Undefined: gpg's agent asks, or knows. */
  readonly passphraseFile: string | undefined;
  /** GNUPGHOME, GPG_TTY …: `process.env` in the program. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/**
 * Has the host's gpg sign a payload: the binary OpenPGP message that a simple signature is.
 * @throws ProcessError when there is no gpg, or it fails; TrustError BAD_SIGNATURE when it gives something else
 */
export async function signWithGpg(payload: Buffer, signer: GpgSigner): Promise<Buffer> {
  const { key, passphraseFile, env, signal } = signer;
  if (key.startsWith('-'))
    throw new TrustError('INVALID_KEYS', `${quote(key)} is no name of a GPG key`);
  const passphrase =
    passphraseFile === undefined
      ? []
      : ['--pinentry-mode', 'loopback', '--passphrase-file', passphraseFile];
  const { stdout } = await runChecked(
    'gpg',
    ['--batch', '--no-armor', ...passphrase, '--local-user', key, '--sign', '--output', '-'],
    { input: payload, env, signal },
  ).catch((cause: unknown) => {
    if (!(cause instanceof ProcessError) || cause.code !== 'PROCESS_FAILED') throw cause;
    throw new ProcessError(
      'PROCESS_FAILED',
      `signing with the GPG key ${quote(key)}: ${cause.message}`,
      {
        cause,
        hint: '"gpg --list-secret-keys" lists the keys there are; of one with a passphrase, name a file that holds it with --passphrase-file',
      },
    );
  });
  try {
    if (parseSignatureBlob(stdout).format === 'simple-signing') return stdout;
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
  }
  throw new TrustError('BAD_SIGNATURE', 'gpg printed something that is no signed message', {
    hint: 'look for options in gpg.conf that change what --sign does',
  });
}
