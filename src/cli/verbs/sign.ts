// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { fileTrouble } from '../../base/file-trouble.ts';
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import type { ImageSigner } from '../../image/sign-image.ts';
import type { Context } from '../context/context.ts';
import { EXIT } from '../output/exit-code.ts';
import type { OptionValues } from '../options/option-values.ts';
import { REGISTRY_OPTIONS } from '../options/source-options.ts';
import type { Verb } from '../context/verb.ts';
import { VERSION } from '../output/version.ts';

const MAX_FILE_BYTES = 64 * 1024;

export const sign: Verb = {
  name: 'sign',
  summary: 'Sign an image',
  description: [
    'Signs the manifest that an image stands for now, and keeps the signature beside those that are there. Of an index, the image for the platform is signed, which is what policy.json asks for; with --index the index itself, for hosts whose trust.d takes that; with --all the index and every image in it.',
    "With --sign-by, the host's gpg makes a simple signature. It goes into the directory that registries.d names with lookaside-staging, or lookaside where that is a directory, else into /var/lib/containers/sigstore, as the next free signature-N; serve that directory to the hosts that verify. With --sign-by-sigstore-private-key, the signature is attached to the image in its registry, as cosign 2 does it, or with --bundle as cosign 3 does; hosts that verify need use-sigstore-attachments in registries.d, and for bundles a requirement with matchDigest in trust.d. Signatures of dir: images lie in the directory itself.",
    'The key of cosign, skopeo or openssl may be encrypted; --passphrase-file then names a file whose first line is its passphrase.',
  ],
  args: [{ name: 'IMAGE', description: 'an image in a registry, or dir:', arity: 'one' }],
  options: [
    { flags: '--sign-by KEY', description: 'sign with this key of gpg, by fingerprint or address' },
    {
      flags: '--sign-by-sigstore-private-key FILE',
      description: 'sign with this private key: PKCS#8, or as cosign and skopeo make them',
    },
    {
      flags: '--bundle',
      description:
        'with a sigstore key: a bundle, as cosign 3 makes it, which names the digest and no image',
    },
    {
      flags: '--passphrase-file FILE',
      description: 'the passphrase of the key, in the first line of a file',
    },
    {
      flags: '--identity REFERENCE',
      description: 'the name to sign for, with its tag, instead of the name of IMAGE',
    },
    {
      flags: '--lookaside DIR',
      description: 'keep the signature in this directory instead of where registries.d says',
    },
    {
      flags: '--platform OS/ARCH',
      description: "the platform to choose from an index, default this machine's",
    },
    { flags: '--all', description: 'sign an index, and every image in it' },
    { flags: '--index', description: 'sign the index itself' },
    { flags: '--json', description: 'print what was signed as JSON' },
    ...REGISTRY_OPTIONS,
  ],
  examples: [
    {
      command: 'sysct sign --sign-by release@example.com registry.example.com/etcd:v3.5',
      does: 'A GPG signature, into the lookaside of registries.d.',
    },
    {
      command:
        'sysct sign --sign-by-sigstore-private-key cosign.key --passphrase-file pass registry.example.com/etcd:v3.5',
      does: 'A sigstore signature, attached in the registry.',
    },
    {
      command:
        'sysct sign --sign-by-sigstore-private-key cosign.key --bundle registry.example.com/etcd:v3.5',
      does: 'A bundle beside the image, as cosign 3 makes it.',
    },
    {
      command:
        'sysct sign --sign-by release@example.com --identity registry.example.com/etcd:v3.5 dir:/srv/etcd',
      does: 'Sign a directory for the name it will have.',
    },
    {
      command: 'sysct sign --all --sign-by release@example.com registry.example.com/etcd:v3.5',
      does: 'Everything that hosts of any platform may ask for.',
    },
  ],
  run: async (context, [text = ''], options) => {
    const what = whatToSign(options);
    const { openSourceFor, platformFor } = await import('../parts/image-access.ts');
    const { signImage } = await import('../../image/sign-image.ts');
    const { parseReference } = await import('../../oci/reference.ts');
    const signer = await signerFor(context, options);
    const identity = options.text('identity');
    const lookaside = lookasideOf(options);
    if (signer.kind === 'bundle' && (identity !== undefined || lookaside !== undefined))
      throw new UsageError('sign: a bundle names no image and lies beside it in the registry', {
        hint: 'leave --identity and --lookaside out, or --bundle',
      });
    // A mirror must not choose what is signed.
    await using source = await openSourceFor(context, text, options, 'primary');
    const placed = await signImage(source, {
      signer,
      identity: identity === undefined ? undefined : parseReference(identity),
      lookaside,
      platform: platformFor(options),
      what,
      creator: `sysct ${VERSION}`,
      now: context.now(),
    });
    if (options.flag('json')) {
      const [only] = placed;
      const signed = what === 'all' ? { signed: placed } : only;
      context.printJson({ version: 1, source: source.display, ...signed });
      return EXIT.done;
    }
    for (const { manifestDigest, identity: name, place } of placed)
      context.print(
        `signed ${manifestDigest}${name === undefined ? '' : ` as ${name}`}\nsignature: ${place}\n`,
      );
    return EXIT.done;
  },
};

function lookasideOf(options: OptionValues): string | undefined {
  const lookaside = options.text('lookaside');
  if (lookaside?.includes('://') === true)
    throw new UsageError(`--lookaside ${quote(lookaside)} is a URL`, {
      hint: 'name the directory of this host that is served under it',
    });
  return lookaside;
}

function whatToSign(options: OptionValues): 'instance' | 'index' | 'all' {
  const given = ['all', 'index', 'platform'].filter((name) =>
    name === 'platform' ? options.text(name) !== undefined : options.flag(name),
  );
  if (given.length > 1) throw new UsageError(`sign: give --${given.join(' or --')}, not both`);
  return options.flag('all') ? 'all' : options.flag('index') ? 'index' : 'instance';
}

async function signerFor(context: Context, options: OptionValues): Promise<ImageSigner> {
  const key = options.text('sign-by');
  const file = options.text('sign-by-sigstore-private-key');
  const passphraseFile = options.text('passphrase-file');
  if ((key === undefined) === (file === undefined))
    throw new UsageError('sign: give either --sign-by or --sign-by-sigstore-private-key');
  const isBundle = options.flag('bundle');
  if (isBundle && file === undefined)
    throw new UsageError('sign: --bundle needs --sign-by-sigstore-private-key');
  if (key !== undefined) {
    const { signWithGpg } = await import('../../trust/simple/sign-with-gpg.ts');
    const { env, signal } = context;
    return {
      kind: 'gpg',
      sign: async (payload) => ({
        format: 'simple-signing',
        message: await signWithGpg(payload, { key, passphraseFile, env, signal }),
      }),
    };
  }
  const { signPayload } = await import('../../trust/sigstore/private-key.ts');
  const path = file ?? '';
  const passphrase =
    passphraseFile === undefined
      ? undefined
      : (read(passphraseFile, 'passphrase').toString('utf8').split(/\r?\n/)[0] ?? '');
  const privateKey = await openKey(path, passphrase);
  if (isBundle) {
    const { signBundle } = await import('../../trust/sigstore/sign-bundle.ts');
    return {
      kind: 'bundle',
      sign: (manifestDigest) =>
        Promise.resolve({
          format: 'sigstore-bundle',
          json: signBundle(privateKey, manifestDigest),
        }),
    };
  }
  return {
    kind: 'sigstore',
    sign: (payload) =>
      Promise.resolve({
        format: 'sigstore-json',
        attachment: signPayload(privateKey, payload),
      }),
  };
}

/** @throws UsageError for a file that holds no such key, or one that the passphrase does not open */
async function openKey(path: string, passphrase: string | undefined): Promise<KeyObject> {
  const { parsePrivateKeyFile } = await import('../../trust/sigstore/private-key.ts');
  const { TrustError } = await import('../../trust/verdict/trust-error.ts');
  const bytes = read(path, 'private key');
  try {
    return parsePrivateKeyFile(bytes, path, passphrase);
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    throw new UsageError(cause.message, { cause, hint: cause.hint });
  }
}

function read(path: string, what: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES)
      throw new UsageError(`${what} ${quote(path)} is ${size} bytes long, more than a key can be`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`reading ${what} ${quote(path)}: ${fileTrouble(cause)}`, { cause });
  }
}
