// SPDX-License-Identifier: Apache-2.0
// The ledger of decisions under what can happen to it: verbs that admit and refuse, many at once, kills, full and read-only disks.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { sha256 } from '../../src/base/digest.ts';
import { silentLog } from '../../src/base/log.ts';
import { DecisionLedger } from '../../src/image/gate/decision-ledger.ts';
import { StoreLayout } from '../../src/store/disk/layout.ts';
import { runChecked, runProcess } from '../../src/sys/process.ts';
import { runCli } from '../support/host/run-cli.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { writePolicy } from '../support/trust/site-policy.ts';
import { writeSmallImage } from '../support/image/small-image.ts';
import { temporaryDirectory } from '../support/tmp.ts';

interface Line {
  readonly version: number;
  readonly at: string;
  readonly verb: string;
  readonly source: string;
  readonly judged: string;
  readonly manifestDigest: string;
  readonly verdict: { readonly allowed: boolean; readonly reasons?: readonly string[] };
}

/** A root whose policy admits the layout below /srv/open, and nothing else. */
async function writeRoot(directory: string): Promise<{ open: string; closed: string }> {
  writePolicy(directory, [join(directory, 'srv/open')]);
  const spec = { layers: [[{ name: 'file', content: 'x' }]], config: { Cmd: ['/x'] } };
  await writeSmallImage(join(directory, 'srv/open'), '1', spec);
  await writeSmallImage(join(directory, 'srv/closed'), '1', spec);
  return {
    open: `oci:${join(directory, 'srv/open')}`,
    closed: `oci:${join(directory, 'srv/closed')}`,
  };
}

function ledgerOf(root: string): string {
  return join(root, 'var/lib/sysct/log/decisions.jsonl');
}

/** Lines that were cut short are left out, as every reader must do. */
function linesOf(path: string): readonly Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Line];
      } catch {
        return [];
      }
    });
}

describe('the ledger', () => {
  it('has what pull, install and verify decided, in order, and nothing of --display and explain', async () => {
    using tmp = temporaryDirectory('ledger');
    const root = tmp.directory;
    const { open, closed } = await writeRoot(root);
    const asked: readonly (readonly [status: number, ...args: readonly string[]])[] = [
      [5, 'pull', closed],
      [0, 'verify', open],
      [5, 'verify', closed],
      [5, 'trust', 'explain', closed],
      [0, 'pull', open],
      [5, 'install', '--name', 'x', closed],
      [5, 'install', '--display', '--name', 'x', closed],
    ];
    for (const [status, ...args] of asked) {
      const { exitCode, stderr } = await runCli(...args, '--root', root);
      assert.equal(exitCode, status, `${args.join(' ')}: ${stderr}`);
    }
    const lines = linesOf(ledgerOf(root));
    const said = lines.map(({ verb, source, verdict }) => [verb, source, verdict.allowed]);
    assert.deepEqual(said, [
      ['pull', closed, false],
      ['verify', open, true],
      ['verify', closed, false],
      ['pull', open, true],
      ['install', closed, false],
    ]);
    assert.match(lines[0]!.verdict.reasons![0]!, /the policy rejects it/);
    assert.ok(lines.every(({ version, judged }) => version === 1 && judged === 'at-source'));
    assert.equal(statSync(ledgerOf(root)).mode & 0o777, 0o600);
    const { stdout } = await runCli('fsck', '--root', root);
    assert.match(stdout, /no damage/);
    assert.doesNotMatch(stdout, /has a name/);
  });

  it('stands before the store: a refused first pull leaves it, and the next one makes the store', async () => {
    using tmp = temporaryDirectory('ledger');
    const { open, closed } = await writeRoot(tmp.directory);
    await runCli('pull', closed, '--root', tmp.directory);
    assert.deepEqual(readdirSync(join(tmp.directory, 'var/lib/sysct')), ['log']);
    assert.equal((await runCli('pull', open, '--root', tmp.directory)).exitCode, 0);
  });

  it('is not for those who cannot write it: they may verify all the same, and hear nothing of it', async () => {
    using tmp = temporaryDirectory('ledger');
    const root = tmp.directory;
    chmodSync(root, 0o755);
    const { open } = await writeRoot(root);
    await runCli('pull', '--quiet', open, '--root', root);
    const before = readFileSync(ledgerOf(root));
    const nobody = ['--reuid=65534', '--clear-groups', SYSCT];
    // As it is made, and as one that other hosts read is.
    for (const mode of [0o700, 0o755]) {
      chmodSync(join(root, 'var/lib/sysct'), mode);
      const { exitCode, stdout, stderr } = await runProcess('setpriv', [
        ...[...nobody, 'verify', '--root', root, open],
      ]);
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout.toString(), /^admitted: /m);
      assert.equal(stderr, '');
    }
    assert.deepEqual(readFileSync(ledgerOf(root)), before);
  });

  it('goes on behind a line that was cut short', async () => {
    using tmp = temporaryDirectory('ledger');
    const { open } = await writeRoot(tmp.directory);
    await runCli('verify', open, '--root', tmp.directory);
    appendFileSync(ledgerOf(tmp.directory), '{"version":1,"at":"2026-');
    await runCli('verify', open, '--root', tmp.directory);
    assert.equal(linesOf(ledgerOf(tmp.directory)).length, 2);
  });
});

describe('a ledger that cannot be written', () => {
  for (const [trouble, status] of [
    ['full', 7],
    ['read-only', 7],
  ] as const) {
    it(`(${trouble}) admits nothing, and refuses as before`, async () => {
      using tmp = temporaryDirectory('ledger');
      const root = tmp.directory;
      const { open, closed } = await writeRoot(root);
      const log = join(root, 'var/lib/sysct/log');
      mkdirSync(log, { recursive: true });
      await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', log]);
      try {
        if (trouble === 'full') {
          await runChecked('sh', ['-c', `dd if=/dev/zero of=${log}/filler bs=4k 2>/dev/null || :`]);
        } else await runChecked('mount', ['-o', 'remount,ro', log]);
        const admitted = await runCli('pull', open, '--root', root);
        assert.equal(admitted.exitCode, status, admitted.stderr);
        assert.match(admitted.stderr, /recording the decision about oci:.*\/srv\/open/);
        assert.ok(!existsSync(join(root, 'var/lib/sysct/objects')));
        const refused = await runCli('pull', closed, '--root', root);
        assert.equal(refused.exitCode, 5);
        assert.match(refused.stderr, /recording the decision about oci:.*\/srv\/closed/);
        assert.match(refused.stderr, /is refused by policy/);
        assert.equal((await runCli('verify', open, '--root', root)).exitCode, 0);
      } finally {
        await runChecked('umount', [log]);
      }
    });
  }
});

describe('a ledger with many writers', () => {
  const ENTRY = {
    source: `docker://registry.example/${'a'.repeat(100)}:1`,
    judged: 'at-source',
    container: undefined,
    indexDigest: undefined,
    verdict: {
      allowed: false,
      rule: { policyFile: 'p', transport: 'docker', scope: undefined },
      reasons: Array<string>(20).fill('r'.repeat(900)),
      hint: undefined,
      manifestDigest: sha256(Buffer.from('m')),
    },
  } as const;

  const WRITER = `
    import { DecisionLedger } from ${JSON.stringify(join(import.meta.dirname, '../../src/image/gate/decision-ledger.ts'))};
    import { StoreLayout } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/disk/layout.ts'))};
    const [directory, entry, count, maxBytes] = process.argv.slice(2);
    const log = { debug() {}, info() {}, warn(text) { console.error(text); process.exitCode = 1; } };
    const ledger = new DecisionLedger({
      layout: new StoreLayout(directory), verb: 'pull', log, now: () => new Date(), maxBytes: Number(maxBytes),
    });
    for (let n = 0; n < Number(count); n += 1) {
      await ledger.record(JSON.parse(entry));
      process.stdout.write('.');
    }
  `;

  function startWriters(directory: string, count: number, maxBytes: number) {
    const script = join(directory, 'writer.ts');
    writeFileSync(script, WRITER);
    const args = [script, join(directory, 'store'), JSON.stringify(ENTRY), String(count)];
    return Array.from({ length: 4 }, () =>
      spawn(process.execPath, [...args, String(maxBytes)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
  }

  it('loses and mixes no line, though it is given up for a new file again and again', async () => {
    using tmp = temporaryDirectory('ledger');
    // Four writers of 100 lines of some 18 KB: about five files of 1.5 MB.
    const writers = startWriters(tmp.directory, 100, 1_500_000);
    for (const writer of writers) writer.stdout.resume();
    const codes = await Promise.all(writers.map(async (writer) => (await once(writer, 'exit'))[0]));
    assert.deepEqual(codes, [0, 0, 0, 0]);
    const log = join(tmp.directory, 'store/log');
    const names = readdirSync(log).sort();
    assert.equal(names[0], 'decisions.jsonl');
    assert.ok(names.length >= 4 && names.length <= 5, names.join(' '));
    const texts = names.map((name) => readFileSync(join(log, name), 'utf8'));
    assert.ok(texts.every((text) => text.endsWith('\n')));
    // Where one came upon the line of another half written, it ends it: an empty line.
    const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
    assert.equal(lines.length, 400);
    for (const line of lines) assert.equal((JSON.parse(line) as Line).verb, 'pull');
  });

  it('keeps every line that was recorded before a kill, and can be read behind it', async () => {
    using tmp = temporaryDirectory('ledger');
    for (let round = 0; round < 5; round += 1) {
      const writers = startWriters(tmp.directory, 1_000_000, 1e9);
      let recorded = '';
      const path = join(tmp.directory, 'store/log/decisions.jsonl');
      const before = existsSync(path) ? linesOf(path).length : 0;
      for (const writer of writers)
        writer.stdout.on('data', (dots: Buffer) => (recorded += dots.toString()));
      while (recorded.length < 8) await wait(5);
      await wait(Math.random() * 50);
      for (const writer of writers) writer.kill('SIGKILL');
      await Promise.all(writers.map(async (writer) => await once(writer, 'close')));
      const after = linesOf(path).length;
      assert.ok(
        after - before >= recorded.length,
        `${after - before} lines, ${recorded.length} were recorded`,
      );
    }
  });

  it('keeps the four newest old files', async () => {
    using tmp = temporaryDirectory('ledger');
    const layout = new StoreLayout(join(tmp.directory, 'store'));
    let now = 0;
    const ledger = new DecisionLedger({
      ...{ layout, verb: 'pull', log: silentLog, maxBytes: 1 },
      now: () => new Date((now += 1000)),
    });
    for (let n = 0; n < 10; n += 1) await ledger.record(ENTRY);
    const seconds = readdirSync(layout.log)
      .sort()
      .map((name) => Date.parse(linesOf(join(layout.log, name))[0]!.at) / 1000);
    assert.deepEqual(seconds, [10, 9, 8, 7, 6]);
  });
});
