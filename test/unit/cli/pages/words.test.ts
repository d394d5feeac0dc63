// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { UsageError } from '../../../../src/base/sysct-error.ts';
import { completionScript, SHELLS } from '../../../../src/cli/pages/completion-script.ts';
import { exitCodeOf } from '../../../../src/cli/output/exit-code.ts';
import { pageName, renderMainPage, renderVerbPage } from '../../../../src/cli/pages/man-page.ts';
import { OptionValues } from '../../../../src/cli/options/option-values.ts';
import { buildProgram } from '../../../../src/cli/program.ts';
import { ProgressBars } from '../../../../src/cli/output/progress-bars.ts';
import { renderError } from '../../../../src/cli/output/report-error.ts';
import { settingsFrom } from '../../../../src/cli/context/settings.ts';
import { ago, renderTable } from '../../../../src/cli/output/table.ts';
import { VERB_GROUPS, VERBS } from '../../../../src/cli/verbs/verbs.ts';
import { ContainerError } from '../../../../src/container/record/container-error.ts';
import { RegistryError } from '../../../../src/registry/http/registry-error.ts';
import { StoreError } from '../../../../src/store/disk/store-error.ts';
import { TrustError } from '../../../../src/trust/verdict/trust-error.ts';

describe('exit statuses', () => {
  const cases = [
    { error: new UsageError('x'), status: 2 },
    { error: new ContainerError('CONTAINER_NOT_RUNNING', 'x'), status: 3 },
    { error: new ContainerError('CONTAINER_NOT_FOUND', 'x'), status: 4 },
    { error: new StoreError('IMAGE_NOT_FOUND', 'x'), status: 4 },
    { error: new TrustError('REFUSED', 'x'), status: 5 },
    { error: new TrustError('NO_POLICY', 'x'), status: 5 },
    { error: new RegistryError('UNREACHABLE', 'x'), status: 6 },
    { error: new RegistryError('CONFIG', 'x'), status: 2 },
    { error: new StoreError('NO_SPACE', 'x'), status: 7 },
    { error: Object.assign(new Error('x'), { code: 'ENOSPC' }), status: 7 },
    { error: new StoreError('STORE_READ_ONLY', 'x'), status: 7 },
    { error: new ContainerError('HOST_READ_ONLY', 'x'), status: 7 },
    { error: Object.assign(new Error('x'), { code: 'EROFS' }), status: 7 },
    { error: new StoreError('STORE_DAMAGED', 'x'), status: 8 },
    { error: new ContainerError('HOST_DISK_FAILED', 'x'), status: 8 },
    { error: Object.assign(new Error('x'), { code: 'EIO' }), status: 8 },
    { error: new ContainerError('START_FAILED', 'x'), status: 9 },
    { error: new Error('x'), status: 1 },
  ];
  for (const { error, status } of cases) {
    it(`are ${status} for ${'code' in error ? String(error.code) : 'what was not foreseen'}`, () => {
      assert.equal(exitCodeOf(error), status);
    });
  }
});

describe('an error on the terminal', () => {
  it('is one line and a hint, with nothing in it that moves the cursor', () => {
    const text = renderError(
      new UsageError('bad \u001b[2J name\nsecond line', { hint: 'try this' }),
      false,
    );
    assert.equal(text, 'sysct: bad \\x1b[2J name\\x0asecond line\nhint: try this\n');
  });
  it('says that the unforeseen is a defect', () => {
    assert.match(
      renderError(new TypeError('x is undefined'), false),
      /internal error: x is undefined/,
    );
  });
  it('shows stacks and causes only for --debug', () => {
    const error = new UsageError('outer', { cause: new Error('inner') });
    assert.doesNotMatch(renderError(error, false), /inner/);
    assert.match(renderError(error, true), /caused by: Error: inner/);
  });
});

describe('option values', () => {
  it('read texts, lists, flags, numbers and booleans', () => {
    const options = new OptionValues({
      name: 'etcd',
      set: ['a=1', 'b=2'],
      now: true,
      progressFd: '3',
      tlsVerify: 'false',
    });
    assert.equal(options.text('name'), 'etcd');
    assert.deepEqual(options.list('set'), ['a=1', 'b=2']);
    assert.equal(options.flag('now'), true);
    assert.equal(options.flag('display'), false);
    assert.equal(options.number('progress-fd', 1), 3);
    assert.equal(options.boolean('tls-verify'), false);
  });
  it('refuse what is no number or boolean', () => {
    const options = new OptionValues({ progressFd: '1e3', tlsVerify: 'maybe' });
    assert.throws(() => options.number('progress-fd', 1), { code: 'USAGE' });
    assert.throws(() => options.boolean('tls-verify'), { code: 'USAGE' });
  });
});

describe('the command line', () => {
  const parse = async (
    ...argv: string[]
  ): Promise<{ verb: string; args: readonly string[]; options: OptionValues }> => {
    const { promise, resolve } = Promise.withResolvers<{
      verb: string;
      args: readonly string[];
      options: OptionValues;
    }>();
    const program = buildProgram((verb, args, options) => {
      resolve({ verb: verb.name, args, options });
      return Promise.resolve();
    });
    await program.parseAsync(argv, { from: 'user' });
    return await promise;
  };

  it('takes verbs of two words', async () => {
    const { verb, args, options } = await parse('trust', 'allow', '--gpg-key', 'k', 'quay.io');
    assert.deepEqual([verb, ...args], ['trust allow', 'quay.io']);
    assert.deepEqual(options.list('gpg-key'), ['k']);
  });
  it('gives repeated options as a list', async () => {
    const { options } = await parse('install', '--set', 'A=1', '--set', 'B=2', 'img');
    assert.deepEqual(options.list('set'), ['A=1', 'B=2']);
  });
  it('takes the value of an option that names a pair', async () => {
    const { args, options } = await parse(
      'pull',
      '--platform',
      'linux/arm64',
      '--creds',
      'u:p',
      'img',
    );
    assert.deepEqual(
      [options.text('platform'), options.text('creds'), ...args],
      ['linux/arm64', 'u:p', 'img'],
    );
  });
  it('leaves the options of a payload to the payload', async () => {
    const { verb, args, options } = await parse('exec', 'etcd', 'ls', '-l', '--all');
    assert.deepEqual([verb, ...args], ['exec', 'etcd', 'ls', '-l', '--all']);
    assert.equal(options.flag('all'), false);
  });
  it('takes false for --tls-verify', async () => {
    const { args, options } = await parse('pull', '--tls-verify=false', 'img');
    assert.equal(options.boolean('tls-verify'), false);
    assert.deepEqual(args, ['img']);
  });
});

describe('settings', () => {
  it('read what is set', () => {
    assert.deepEqual(settingsFrom({ store: '/srv/sysct', before: ['docker.service'] }, 'f'), {
      store: '/srv/sysct',
      before: ['docker.service'],
    });
  });
  for (const [name, document] of [
    ['an unknown key', { stroe: '/x' }],
    ['a relative store', { store: 'x' }],
    ['a unit name without a suffix', { before: ['docker'] }],
    ['a list of numbers', { before: [1] }],
    ['an empty runtime', { runtime: '' }],
  ] as const) {
    it(`refuse ${name}, naming file and key`, () => {
      assert.throws(() => settingsFrom(document, '/etc/sysct/sysct.toml'), {
        code: 'USAGE',
        message: /sysct\.toml: "/,
      });
    });
  }
});

describe('tables', () => {
  it('pad columns and cut nothing', () => {
    assert.equal(
      renderTable(['A', 'B'], [['long value', 'x']], true),
      'A           B\nlong value  x\n',
    );
  });
  it('leave the heading out', () => assert.equal(renderTable(['A'], [['x']], false), 'x\n'));
  it('make cells printable', () =>
    assert.equal(renderTable(['A'], [['\u001b[m']], false), '\\x1b[m\n'));
  for (const [seconds, words] of [
    [0, '0 seconds ago'],
    [61, '1 minute ago'],
    [7200, '2 hours ago'],
    [86_400 * 8, '1 week ago'],
  ] as const) {
    it(`say ${words}`, () => {
      assert.equal(ago(new Date(0), new Date(seconds * 1000)), words);
    });
  }
});

describe('progress', () => {
  const digest = sha256('x');
  const show = (isTTY: boolean): string => {
    let shown = '';
    const bars = new ProgressBars(
      { isTTY, columns: 80, write: (text: string) => (shown += text) },
      () => 0,
    );
    bars.report({ kind: 'stage', stage: 'resolving', subject: 'img' });
    bars.report({ kind: 'layer-start', digest, sizeBytes: 2000 });
    bars.report({ kind: 'layer-bytes', digest, bytes: 1000 });
    bars.report({ kind: 'layer-done', digest, sizeBytes: 2000 });
    bars.finish();
    return shown;
  };
  it('is a bar a layer on a terminal', () => assert.match(show(true), /█+.*2\.00 kB \/ 2\.00 kB/));
  it('is a plain line a layer elsewhere', () => {
    assert.equal(show(false), `Resolving img\nlayer ${digest.slice(7, 19)}  2.00 kB\n`);
  });
});

describe('completion scripts', () => {
  for (const shell of SHELLS) {
    it(`for ${shell} name every verb`, () => {
      const script = completionScript(shell, VERBS, VERB_GROUPS);
      for (const word of VERBS.flatMap(({ name }) => name.split(' ')))
        assert.match(script, new RegExp(`\\b${word}\\b`));
    });
  }
  it('complete verbs and options in a real bash', () => {
    const script = completionScript('bash', VERBS, VERB_GROUPS);
    const ask = (words: string, n: number): string =>
      spawnSync(
        'bash',
        ['-c', `${script}\nCOMP_WORDS=(${words}) COMP_CWORD=${n}; _sysct; echo "\${COMPREPLY[@]}"`],
        {
          encoding: 'utf8',
        },
      ).stdout.trim();
    assert.equal(ask('sysct inst', 1), 'install');
    assert.equal(ask('sysct install --allow-u', 2), '--allow-unsigned');
    assert.equal(ask('sysct tru', 1), 'trust');
    assert.equal(ask('sysct trust rem', 2), 'remove');
    assert.equal(ask('sysct trust allow --gpg', 3), '--gpg-key');
  });
  it('complete names with colons, at which readline ends a word', () => {
    const script = completionScript('bash', VERBS, VERB_GROUPS);
    const ask = (line: string, words: string, n: number): string => {
      const names = 'sysct() { echo r.example:5000/app:1; echo r.example:5000/web:2; }';
      const set = `COMP_LINE=${line} COMP_POINT=\${#COMP_LINE} COMP_WORDBREAKS=$' \\t\\n:'`;
      const call = `COMP_WORDS=(${words}) COMP_CWORD=${n}; _sysct; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const text = `${script}\n${names}\n${set}; ${call}`;
      return spawnSync('bash', ['-c', text], { encoding: 'utf8' }).stdout.trim();
    };
    const whole = 'r.example:5000/app:1\nr.example:5000/web:2';
    assert.equal(ask("'sysct rmi r.ex'", 'sysct rmi r.ex', 2), whole);
    const colon = "'sysct rmi r.example:'";
    assert.equal(ask(colon, 'sysct rmi r.example :', 3), '5000/app:1\n5000/web:2');
    const port = "'sysct rmi r.example:5000/a'";
    assert.equal(ask(port, 'sysct rmi r.example : 5000/a', 4), '5000/app:1');
    assert.equal(ask("'sysct rmi zzz'", 'sysct rmi zzz', 2), '');
  });
});

describe('man pages', () => {
  for (const verb of VERBS) {
    it(`of ${verb.name} have every option that its help has`, () => {
      const page = renderVerbPage(verb);
      for (const option of verb.options) assert.ok(page.includes(option.flags), option.flags);
    });
  }
  it('list every verb and every exit status', () => {
    const page = renderMainPage(VERBS);
    for (const verb of VERBS) assert.ok(page.includes(`${pageName(verb)}(1)`));
    for (const status of ['2', '3', '4', '5', '6', '7', '8', '9'])
      assert.ok(page.includes(`\`${status}\``));
  });
});
