// SPDX-License-Identifier: Apache-2.0
// The cosign of a Debian release, in a root of its own: 2 in trixie, 3 in sid.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessResult, runChecked, runProcess } from '../../../src/sys/process.ts';
import { messageOf } from '../../../src/base/sysct-error.ts';
import type { CosignQuestion } from './bundle-case.ts';
import { debianRootTar } from '../host/debian-root.ts';
import { temporaryDirectory } from '../tmp.ts';

export interface Cosign extends Disposable {
  /** The directory that cosign sees as `/`. */
  readonly root: string;
  /** Runs it with these arguments, whatever its exit status; `/srv` is its home. */
  run(args: readonly string[]): Promise<ProcessResult>;
  /** What it says of a bundle about a file, offline. */
  judge(question: CosignQuestion, bundle: Buffer, file: Buffer): Promise<ProcessResult>;
}

/** Undefined, with the reason, where apt cannot bring it. */
export async function openCosign(release: 'trixie' | 'sid'): Promise<Cosign | string> {
  let tar: string;
  try {
    tar = await debianRootTar({ release, packages: ['cosign'] });
  } catch (error) {
    return `no cosign of ${release}: ${messageOf(error).slice(0, 200)}`;
  }
  const tmp = temporaryDirectory('cosign', '/dev/shm');
  const root = tmp.directory;
  await runChecked('tar', ['-C', root, '--exclude=./dev/*', '-xf', tar]);
  const env = { HOME: '/srv', TUF_ROOT: '/srv/tuf', COSIGN_PASSWORD: 'secret' };
  const run = async (args: readonly string[]): Promise<ProcessResult> => {
    const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return await runProcess('chroot', [root, '/usr/bin/env', ...settings, 'cosign', ...args]);
  };
  const put = (name: string, bytes: Buffer | string): string => {
    writeFileSync(join(root, 'srv', name), bytes);
    return `/srv/${name}`;
  };
  return {
    root,
    run,
    judge: async ({ by, predicateType, isStamped = false }, bundle, file) => {
      const who =
        'key' in by
          ? ['--key', put('key.pub', by.key), '--insecure-ignore-tlog']
          : [
              ...['--trusted-root', put('root.json', by.root)],
              ...['--certificate-identity', by.identity],
              ...['--certificate-oidc-issuer', by.issuer],
              ...(isStamped ? ['--use-signed-timestamps'] : []),
            ];
      return await run([
        ...['verify-blob-attestation', '--bundle', put('bundle.json', bundle)],
        ...[...who, '--type', predicateType, put('file', file)],
      ]);
    },
    [Symbol.dispose]: () => tmp[Symbol.dispose](),
  };
}
