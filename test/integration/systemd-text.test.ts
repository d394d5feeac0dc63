// SPDX-License-Identifier: Apache-2.0
// What we write for systemd, read by systemd itself.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runChecked, runProcess } from '../../src/sys/process.ts';
import { escapeUnitName, escapeUnitPath, unescapeUnitName } from '../../src/systemd/unit-escape.ts';
import { printUnit, unitSection } from '../../src/systemd/unit-file.ts';
import { escapeSpecifiers, execLine, quoteEnvironment } from '../../src/systemd/unit-quote.ts';
import { parseTemplate } from '../../src/template/parse-template.ts';
import { renderTemplate } from '../../src/template/render-template.ts';
import { createHost } from '../support/host/nspawn-host.ts';
import { temporaryDirectory } from '../support/tmp.ts';

const AWKWARD = [
  'plain',
  '-dash',
  '.dot',
  'a b',
  "it's",
  'say "hi"',
  'back\\slash',
  'C:\\new\\x41',
  '100%',
  '%n%%h',
  '$HOME',
  '${HOME}',
  '$$',
  ';',
  'a;b',
  '#x',
  'größe 🎉',
  'tab\there',
  'a@b:c_d',
  'à\u00a0\u2003x',
];

describe('systemd-escape', () => {
  it('writes names as we do, and reads ours', async () => {
    for (const text of [...AWKWARD, '/', 'a/b//c', '\u0001\u007f']) {
      const theirs = await runChecked('systemd-escape', ['--', text]);
      assert.equal(escapeUnitName(text), theirs.stdout.toString().trimEnd(), text);
      const read = await runChecked('systemd-escape', ['--unescape', '--', escapeUnitName(text)]);
      assert.equal(unescapeUnitName(escapeUnitName(text)), text);
      assert.equal(read.stdout.toString().replace(/\n$/, ''), text);
    }
  });

  it('writes paths as we do', async () => {
    const paths = ['/', '//', '/a//b/', '/./a/.', '/.a/.b', ...AWKWARD.map((text) => `/x/${text}`)];
    for (const path of paths) {
      const theirs = await runChecked('systemd-escape', ['--path', '--', path]);
      assert.equal(escapeUnitPath(path), theirs.stdout.toString().trimEnd(), path);
    }
  });
});

describe('systemd', () => {
  it('a40: hands services the arguments, variables and values that we wrote', async () => {
    const texts = [...AWKWARD, '', 'line\nfeed', '\r\u001b\u0001'];
    await using host = await createHost();
    const unit = printUnit({
      head: [],
      sections: [
        unitSection('Unit', [['Description', escapeSpecifiers('50% of $HOME "x"')]]),
        unitSection('Service', [
          ['Type', 'oneshot'],
          ...texts.map((text, n) => ['Environment', quoteEnvironment(`V${n}`, text)] as const),
          ['ExecStart', execLine('/usr/bin/printf', ['%s\\0', ...texts])],
          ['StandardOutput', 'truncate:/arguments'],
        ]),
      ],
    });
    const environment = unit
      .replace(/ExecStart=.*/, 'ExecStart=/usr/bin/env -0')
      .replace('/arguments', '/environment');
    writeFileSync(join(host.root, 'etc/systemd/system/arguments.service'), unit);
    writeFileSync(join(host.root, 'etc/systemd/system/environment.service'), environment);
    const { stdout, exitCode } = await host.boot({
      script: `systemctl start arguments environment
               systemctl show --property=Description --value arguments`,
    });
    assert.equal(exitCode, 0);
    assert.equal(stdout.toString(), '50% of $HOME "x"\n');
    assert.deepEqual(split(join(host.root, 'arguments')), texts);
    const seen = new Set(split(join(host.root, 'environment')));
    for (const [n, text] of texts.entries()) assert.ok(seen.has(`V${n}=${text}`), text);
  });
});

describe('systemd-analyze', () => {
  it('reads values in units as text, and percentages as such', async () => {
    using tmp = temporaryDirectory('systemd-text');
    const template = `[Unit]
Description=$A
[Service]
ExecStart=/bin/echo $A
CPUQuota=$Q
MemoryMax=$Q
RuntimeDirectory=$N
`;
    const values = new Map([
      ['A', '100% of %n, %z'],
      ['Q', '20%'],
      ['N', 'a%b'],
    ]);
    const unit = renderTemplate(parseTemplate(Buffer.from(template), 'x'), values, {
      kind: 'unit',
      verbatim: new Set(),
    });
    const path = join(tmp.directory, 'x.service');
    writeFileSync(path, unit);
    const { exitCode, stderr } = await runProcess('systemd-analyze', ['verify', path]);
    assert.deepEqual([exitCode, stderr], [0, '']);
  });
});

describe('systemd-tmpfiles', () => {
  it('a40: makes the paths, links and contents that the values say', async () => {
    using tmp = temporaryDirectory('systemd-text');
    const root = join(tmp.directory, 'root');
    mkdirSync(root);
    const template =
      'd /$X 0755 0 0 - -\nd "/q$X" - - - -\nL /l$N - - - - =$X\nf /f$N - - - - =$X\n';
    for (const [n, text] of AWKWARD.entries()) {
      const values = new Map([
        ['X', text],
        ['N', String(n)],
      ]);
      const parsed = parseTemplate(Buffer.from(template), 'x');
      const path = join(tmp.directory, `${n}.conf`);
      writeFileSync(path, renderTemplate(parsed, values, { kind: 'tmpfiles' }));
      const made = await runProcess('systemd-tmpfiles', [`--root=${root}`, '--create', path]);
      assert.deepEqual([made.exitCode, made.stderr], [0, ''], text);
      assert.equal(readlinkSync(join(root, `l${n}`)), `=${text}`);
      assert.equal(readFileSync(join(root, `f${n}`), 'utf8'), `=${text}`);
    }
    const names = new Set(readdirSync(root));
    for (const text of AWKWARD) assert.ok(names.has(text) && names.has(`q${text}`), text);
  });
});

function split(path: string): readonly string[] {
  return readFileSync(path, 'utf8').split('\0').slice(0, -1);
}
