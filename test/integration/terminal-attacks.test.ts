// SPDX-License-Identifier: Apache-2.0
// Names and texts from outside that would move a terminal's cursor or make a line of their own: whatever prints
// them prints them escaped, on the line that they belong to.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/store.ts';
import { type ProcessResult, runProcess } from '../../src/sys/process.ts';
import { importImage, layerBlob } from '../support/store/store-layers.ts';
import { noise } from '../support/store/sample-tree.ts';
import { SYSCT } from '../support/host/shipped-sysct.ts';
import { tar } from '../support/image/tar-builder.ts';
import { temporaryDirectory } from '../support/tmp.ts';

/** Clears the screen in two ways, turns the text around, and begins a line that says that all is well. */
const EVIL = '\u001b[2J\u009b2J\u202e\r\nFORGED: no damage\u2028FORGED\u0007';
const LAYER = layerBlob(
  tar({ path: `evil ${EVIL}`, content: noise('evil', 9000) }, { path: 'etc/x', content: 'x' }),
);

interface Site {
  readonly store: string;
  sysct(...args: readonly string[]): Promise<ProcessResult>;
}

async function withSite(act: (site: Site) => Promise<void>): Promise<void> {
  using tmp = temporaryDirectory('terminal');
  const directory = join(tmp.directory, 'var/lib/sysct');
  const store = await openStore(directory, { log: silentLog });
  await importImage(store, 'registry.example/team/app:1', [LAYER]);
  const ref = join(directory, 'refs/registry.example/team/app/:1');
  const record = JSON.parse(readFileSync(ref, 'utf8')) as Record<string, unknown>;
  delete record['reference'];
  const verdict = { allowed: true, rule: EVIL };
  const text = JSON.stringify({ ...record, source: `dir:${EVIL}`, verdict });
  writeFileSync(join(directory, `refs/@${String(record['manifestDigest'])}`), text);
  writeFileSync(join(directory, `trees/${EVIL}`), '');
  mkdirSync(join(directory, `refs/${EVIL}`));
  writeFileSync(join(directory, `refs/${EVIL}/:1`), EVIL);
  const sysct = async (...args: readonly string[]): Promise<ProcessResult> => {
    const [verb = '', ...rest] = args;
    return await runProcess(SYSCT, [verb, '--root', tmp.directory, ...rest]);
  };
  await act({ store: directory, sysct });
}

// C0 but line feed and tab, DEL, C1, and what turns or breaks lines.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e]/;

function assertHarmless({ stdout, stderr }: ProcessResult): void {
  for (const text of [stdout.toString(), stderr]) {
    assert.doesNotMatch(text, UNSAFE);
    assert.doesNotMatch(text, /^FORGED/m);
  }
}

describe('what would move a terminal is harmless when it is printed by', () => {
  const commands: readonly (readonly string[])[] = [
    ['images'],
    ['images', '--quiet', '--names'],
    ['images', '--json'],
    ['df'],
    ['df', '--json'],
    ['fsck'],
    ['fsck', '--json'],
    ['fsck', '--repair'],
    ['gc'],
    ['gc', '--debug'],
    ['inspect', EVIL],
    ['inspect', EVIL, '--debug'],
    ['inspect', `dir:${EVIL}`],
    ['pull', `dir:/nowhere/${EVIL}`],
    ['pull', `dir:/nowhere/${EVIL}`, '--debug'],
    ['rmi', EVIL],
    ['rmi', `dir:${EVIL}`],
    ['prefetch', EVIL],
  ];
  for (const command of commands) {
    const said = command.map((word) => (word.includes(EVIL) ? 'EVIL' : word)).join(' ');
    it(`sysct ${said}`, async () => {
      await withSite(async ({ sysct, store }) => {
        const result = await sysct(...command);
        assertHarmless(result);
        assert.ok(result.stdout.length + result.stderr.length > 0);
        assert.ok(readdirSync(store).includes('refs'));
      });
    });
  }

  it('sysct fsck, of a damaged file with such a name in an image', async () => {
    await withSite(async ({ sysct, store }) => {
      const [shard = ''] = readdirSync(join(store, 'objects'));
      const [name = ''] = readdirSync(join(store, 'objects', shard));
      writeFileSync(join(store, 'objects', shard, name), 'damage');
      const result = await sysct('fsck');
      assert.equal(result.exitCode, 8);
      assert.match(result.stdout.toString(), /paths evil \\x1b\[2J/);
      assertHarmless(result);
    });
  });
});
