// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HostRoot } from '../../../src/sys/host-root.ts';
import { verifyUnits } from '../../../src/systemd/verify-unit.ts';
import { temporaryDirectory } from '../../support/tmp.ts';

const never = new AbortController().signal;
const host = new HostRoot('/');

const OLD = `case "$*" in
*--recursive-errors*) echo "systemd-analyze: unrecognized option" >&2; exit 1 ;;
*) echo "a.service: bad." >&2; exit 1 ;;
esac`;

async function judge(name: string, text: string) {
  const warnings: string[] = [];
  const refusals = await verifyUnits(host, [{ name, text }], never, (line) => warnings.push(line));
  return { refusals, warnings };
}

describe('verifyUnits', () => {
  it('has nothing against a sound unit, nor against the ones it names', async () => {
    const text =
      '[Unit]\nAfter=nowhere.service\nRequiresMountsFor=/run/sysct/x\n[Service]\nExecStart=/bin/true\n[X-Sysct]\nImage=x\n';
    assert.deepEqual(await judge('sound.service', text), { refusals: [], warnings: [] });
  });

  it('refuses what systemd refuses, without a path of ours', async () => {
    const { refusals } = await judge('empty.service', '[Service]\nType=forking\n');
    assert.match(refusals[0] ?? '', /^empty\.service: .*Refusing\.$/);
    const { refusals: mount } = await judge('a.mount', '[Mount]\nWhat=x\nWhere=/b\nType=tmpfs\n');
    assert.match(mount[0] ?? '', /Where= setting doesn't match unit name/);
  });

  it('only warns of keys that systemd ignores, and of programs that are not there', async () => {
    const text = '[Service]\nRestart=on-crash\nFoo=1\nExecStart=/nowhere/program\n';
    const { refusals, warnings } = await judge('odd.service', text);
    assert.deepEqual(refusals, []);
    assert.deepEqual(
      warnings.map((line) => line.split(':')[0]),
      ['odd.service', 'odd.service', 'odd.service'],
    );
  });

  it('finds a mount unit by the directory it is for', async () => {
    const service = '[Unit]\nRequiresMountsFor=/run/t\n[Service]\nExecStart=/bin/true\n';
    const mount = '[Mount]\nWhat=overlay\nWhere=/run/t\nType=overlay\nOptions=ro\n';
    const units = [
      { name: 'with-mount.service', text: service },
      { name: 'run-t.mount', text: mount },
    ];
    assert.deepEqual(await verifyUnits(host, units, never), []);
  });

  for (const [name, script, expected] of [
    ['says nothing where this machine has no systemd-analyze', undefined, []],
    ['does without an option that an older one lacks', OLD, ['a.service: bad.']],
  ] as const) {
    it(name, async () => {
      assert.deepEqual(await withTool(script), expected);
    });
  }

  it('fails when the tool fails without a word', async () => {
    await assert.rejects(withTool('exit 1'), { code: 'VERIFY_FAILED' });
  });
});

/** With `systemd-analyze` replaced by a script, or by nothing. */
async function withTool(script: string | undefined): Promise<readonly string[]> {
  using tmp = temporaryDirectory('analyze');
  const program = join(tmp.directory, 'systemd-analyze');
  if (script !== undefined) writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { PATH } = process.env;
  process.env['PATH'] = tmp.directory;
  try {
    return await verifyUnits(host, [{ name: 'a.service', text: '' }], never);
  } finally {
    process.env['PATH'] = PATH;
  }
}
