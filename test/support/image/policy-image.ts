// SPDX-License-Identifier: Apache-2.0
// The smallest image that skopeo copies, as a `dir:` image, and both opinions about it: ours and skopeo's.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../../src/base/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { runProcess } from '../../../src/sys/process.ts';
import { evaluatePolicy } from '../../../src/trust/evaluate.ts';
import type { PolicySubject } from '../../../src/trust/verdict/evaluation.ts';
import { loadPolicy } from '../../../src/trust/policy/policy-file.ts';
import { TrustError } from '../../../src/trust/verdict/trust-error.ts';
import type { Verdict } from '../../../src/trust/verdict/verdict.ts';

export interface PolicyImage {
  readonly directory: string;
  readonly manifestBytes: Buffer;
  readonly manifestDigest: ReturnType<typeof sha256>;
}

/** A `dir:` image without layers; `mark` makes its digest its own. */
export function writePolicyImage(directory: string, mark = ''): PolicyImage {
  mkdirSync(directory, { recursive: true });
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      author: mark,
      config: {},
      rootfs: { type: 'layers', diff_ids: [] },
    }),
  );
  const configHex = createHash('sha256').update(config).digest('hex');
  const manifestBytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: `sha256:${configHex}`,
        size: config.length,
      },
      layers: [],
    }),
  );
  writeFileSync(join(directory, configHex), config);
  writeFileSync(join(directory, 'manifest.json'), manifestBytes);
  writeFileSync(join(directory, 'version'), 'Directory Transport Version: 1.1\n');
  return { directory, manifestBytes, manifestDigest: sha256(manifestBytes) };
}

/** Replaces the image's signatures. */
export function putSignatures(image: PolicyImage, signatures: readonly Buffer[]): void {
  for (const name of readdirSync(image.directory))
    if (name.startsWith('signature-')) rmSync(join(image.directory, name));
  for (const [n, bytes] of signatures.entries())
    writeFileSync(join(image.directory, `signature-${n + 1}`), bytes);
}

export interface SkopeoOpinion {
  readonly allowed: boolean;
  readonly said: string;
}

/** What the installed skopeo makes of copying the image under the policy. */
export async function skopeoOpinion(
  image: PolicyImage,
  policyFile: string,
  from = `dir:${image.directory}`,
  globalArgs: readonly string[] = [],
): Promise<SkopeoOpinion> {
  const target = `${image.directory}.copy`;
  const copy = ['copy', '--remove-signatures', '--src-tls-verify=false', from, `dir:${target}`];
  const { exitCode, stderr } = await runProcess(
    'skopeo',
    [...globalArgs, '--policy', policyFile, ...copy],
    { env: { ...process.env, HOME: image.directory } },
  );
  rmSync(target, { recursive: true, force: true });
  return { allowed: exitCode === 0, said: stderr.trim() };
}

/** Our verdict on the same; a policy that does not load comes back as the error. */
export async function sysctOpinion(
  image: PolicyImage,
  policyFile: string,
  reference?: string,
): Promise<Verdict | TrustError> {
  try {
    const loaded = await loadPolicy({ host: new HostRoot('/'), override: policyFile, env: {} });
    const names = readdirSync(image.directory).filter((name) => name.startsWith('signature-'));
    const subject: PolicySubject = {
      transport: 'dir',
      policyIdentity: image.directory,
      reference: reference === undefined ? undefined : parseReference(reference),
      manifestDigest: image.manifestDigest,
      manifestBytes: image.manifestBytes,
    };
    const { verdict } = await evaluatePolicy(
      loaded.policy,
      subject,
      async () => ({
        candidates: names.sort().map((name) => ({
          bytes: readFileSync(join(image.directory, name)),
          source: name,
        })),
        places: [{ place: image.directory, answer: 'read' }],
      }),
      {
        readKeyFile: loaded.readKeyFile,
        signal: new AbortController().signal,
        now: () => new Date(),
      },
    );
    return verdict;
  } catch (error) {
    if (error instanceof TrustError) return error;
    throw error;
  }
}

/** Allowed or not, and why, of {@link sysctOpinion}. */
export function summarize(opinion: Verdict | TrustError): SkopeoOpinion {
  if (opinion instanceof TrustError) return { allowed: false, said: opinion.message };
  return opinion.allowed
    ? { allowed: true, said: 'allowed' }
    : { allowed: false, said: opinion.reasons.join('; ') };
}
