// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecked, runProcess, type ProcessResult } from '../../../src/sys/process.ts';
import type { Registry } from '../registry/registry.ts';

/** As gpg's `--quick-generate-key` names them. */
export type KeyAlgorithm =
  | 'rsa2048'
  | 'rsa3072'
  | 'rsa4096'
  | 'ed25519'
  | 'nistp256'
  | 'nistp384'
  | 'brainpoolP256r1'
  | 'dsa2048';

export interface KeyOptions {
  /** Default `rsa2048`. */
  readonly algorithm?: KeyAlgorithm;
  /** Default `sysct test <RANDOM@example.com>`. */
  readonly userId?: string;
  /** gpg's notation: `2y`, `seconds=1`, `2020-01-01`…; default: never. */
  readonly expires?: string;
  /** Make the key at this moment instead of now: `20200101T000000`. */
  readonly createdAt?: string;
  /** Give it a second key that signs, so that the primary key only certifies. */
  readonly signingSubkey?: boolean;
}

export interface GpgKey {
  /** Of the primary key: 40 hex digits, upper case. */
  readonly fingerprint: string;
  /** Of the signing subkey, when one was asked for. */
  readonly subkeyFingerprint: string | undefined;
}

export interface SignOptions {
  /** The signature's own time, as {@link KeyOptions.createdAt}. */
  readonly at?: string;
  /** More arguments for gpg. */
  readonly args?: readonly string[];
}

export interface SignImageOptions {
  readonly registry: Registry;
  /** `REPOSITORY:TAG` below the registry. */
  readonly image: string;
  readonly key: GpgKey;
  /** A lookaside directory: the signature is added as `REPOSITORY@sha256=HEX/signature-N`. */
  readonly lookasideDir: string;
  /** What the signature says it signs; default: the reference itself. */
  readonly dockerReference?: string;
}

export interface GpgHome extends AsyncDisposable {
  /** The GNUPGHOME. */
  readonly directory: string;
  createKey(options?: KeyOptions): Promise<GpgKey>;
  /** Binary, or ASCII armour: what `keyPath` of policy.json names. */
  exportPublicKey(key: GpgKey, form?: 'binary' | 'armor'): Promise<Buffer>;
  /** The same, into a file; returns its path, which lives as long as the home. */
  writePublicKey(key: GpgKey, form?: 'binary' | 'armor'): Promise<string>;
  /** An OpenPGP message signed by the key that holds the payload: what a simple signature is. */
  sign(key: GpgKey, payload: string | Buffer, options?: SignOptions): Promise<Buffer>;
  /** Signs what the tag names now, with skopeo; returns the path of the signature. */
  signImage(options: SignImageOptions): Promise<string>;
  /** gpg itself, for what has no method here; `--batch` and the home are given. */
  gpg(args: readonly string[], input?: string | Buffer): Promise<ProcessResult>;
}

/** An empty GNUPGHOME in a directory of its own; its agent ends with it. */
export async function createGpgHome(): Promise<GpgHome> {
  const directory = mkdtempSync(join(tmpdir(), 'sysct-gpg-'));
  writeFileSync(join(directory, 'gpg-agent.conf'), 'allow-loopback-pinentry\n');
  return new Home(directory);
}

/** The payload of a simple signature (containers-signature(5)), as skopeo would write it. */
export function simpleSigningPayload(
  dockerReference: string,
  manifestDigest: string,
  optional: Record<string, unknown> = { creator: 'sysct test', timestamp: 1_700_000_000 },
): string {
  return JSON.stringify({
    critical: {
      type: 'atomic container signature',
      image: { 'docker-manifest-digest': manifestDigest },
      identity: { 'docker-reference': dockerReference },
    },
    optional,
  });
}

/** Adds a signature where a lookaside server looks for it; returns the path of the file. */
export function placeSignature(
  lookasideDir: string,
  repository: string,
  manifestDigest: string,
  signature: Buffer,
): string {
  const directory = join(lookasideDir, `${repository}@${manifestDigest.replace(':', '=')}`);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `signature-${readdirSync(directory).length + 1}`);
  writeFileSync(path, signature);
  return path;
}

class Home implements GpgHome {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async gpg(args: readonly string[], input?: string | Buffer): Promise<ProcessResult> {
    const own = ['--homedir', this.directory, '--batch', '--quiet', '--no-tty'];
    return await runChecked('gpg', [...own, '--pinentry-mode', 'loopback', ...args], {
      ...(input === undefined ? {} : { input }),
    });
  }

  async createKey(options: KeyOptions = {}): Promise<GpgKey> {
    const algorithm = options.algorithm ?? 'rsa2048';
    const userId = options.userId ?? `sysct test <${randomUUID()}@example.com>`;
    const expires = options.expires ?? 'never';
    const time = options.createdAt === undefined ? [] : ['--faked-system-time', options.createdAt];
    const common = [...time, '--passphrase', '', '--status-fd', '1'];
    const usage = options.signingSubkey === true ? 'cert' : 'sign,cert';
    const made = await this.gpg([
      ...[...common, '--quick-generate-key', userId, algorithm, usage, expires],
    ]);
    const fingerprint = createdFingerprint(made);
    if (options.signingSubkey !== true) return { fingerprint, subkeyFingerprint: undefined };
    await this.gpg([...common, '--quick-add-key', fingerprint, algorithm, 'sign', expires]);
    const listed = await this.gpg(['--with-colons', '--list-keys', fingerprint]);
    const prints = listed.stdout
      .toString('utf8')
      .split('\n')
      .filter((line) => line.startsWith('fpr:'))
      .map((line) => line.split(':')[9]);
    return { fingerprint, subkeyFingerprint: prints[1] };
  }

  async exportPublicKey(key: GpgKey, form: 'binary' | 'armor' = 'binary'): Promise<Buffer> {
    const armor = form === 'armor' ? ['--armor'] : [];
    return (await this.gpg([...armor, '--export', key.fingerprint])).stdout;
  }

  async writePublicKey(key: GpgKey, form: 'binary' | 'armor' = 'binary'): Promise<string> {
    const suffix = form === 'armor' ? 'asc' : 'gpg';
    const path = join(this.directory, `${key.fingerprint}.${suffix}`);
    writeFileSync(path, await this.exportPublicKey(key, form));
    return path;
  }

  async sign(key: GpgKey, payload: string | Buffer, options: SignOptions = {}): Promise<Buffer> {
    const time = options.at === undefined ? [] : ['--faked-system-time', options.at];
    const user = key.subkeyFingerprint ?? key.fingerprint;
    const args = [...time, '--local-user', `${user}!`, ...(options.args ?? []), '--sign'];
    return (await this.gpg(args, payload)).stdout;
  }

  async signImage(options: SignImageOptions): Promise<string> {
    const { registry, image, key, lookasideDir } = options;
    const reference = `${registry.host}/${image}`;
    const manifest = await runChecked('skopeo', [
      ...['inspect', '--raw', ...registry.skopeoFlags(''), `docker://${reference}`],
    ]);
    const manifestFile = join(this.directory, `${randomUUID()}.manifest`);
    const signatureFile = `${manifestFile}.signature`;
    writeFileSync(manifestFile, manifest.stdout);
    const digest = await runChecked('skopeo', ['manifest-digest', manifestFile]);
    const signed = options.dockerReference ?? reference;
    await runChecked(
      'skopeo',
      ['standalone-sign', manifestFile, signed, key.fingerprint, '--output', signatureFile],
      { env: { ...process.env, GNUPGHOME: this.directory } },
    );
    const repository = image.replace(/:[^/:]*$/, '');
    return placeSignature(
      lookasideDir,
      repository,
      digest.stdout.toString('utf8').trim(),
      readFileSync(signatureFile),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // An agent that never started makes gpgconf fail, which is as good.
    await runProcess('gpgconf', ['--homedir', this.directory, '--kill', 'all']);
    // It is told to end; when it has, nobody says.
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

function createdFingerprint({ stdout }: ProcessResult): string {
  const match = /^\[GNUPG:\] KEY_CREATED [A-Z] (?<fingerprint>[0-9A-F]{40})/m.exec(
    stdout.toString('utf8'),
  );
  const fingerprint = match?.groups?.['fingerprint'];
  if (fingerprint === undefined) throw new Error(`gpg created no key: ${stdout.toString('utf8')}`);
  return fingerprint;
}
