// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import {
  applyHostChange,
  undoHostChange,
} from '../../../../src/container/host/apply-host-change.ts';
import {
  ContainerDirectory,
  containerNames,
} from '../../../../src/container/record/container-directory.ts';
import type { HostChange } from '../../../../src/container/record/host-change.ts';
import {
  removeStateDirectories,
  missingPaths,
  purgeStateDirectories,
} from '../../../../src/container/host/state-directories.ts';
import {
  readJournal,
  writeJournal,
  type SwitchJournal,
} from '../../../../src/container/switch/switch-journal.ts';
import { directoriesOfTmpfiles } from '../../../../src/container/package/tmpfiles-directories.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const content = Buffer.from('hello\n');
const file: HostChange = {
  kind: 'file',
  path: '/etc/x.conf',
  mode: 0o4755,
  uid,
  gid,
  digest: sha256(content),
  role: 'host-file',
};

describe('a host change', () => {
  it('writes a file with its exact mode, and is undone without a trace', () => {
    using tmp = temporaryDirectory('host-change');
    const host = new HostRoot(tmp.directory);
    mkdirSync(join(tmp.directory, 'etc'));
    applyHostChange(host, file, content);
    assert.equal(readFileSync(join(tmp.directory, 'etc/x.conf'), 'utf8'), 'hello\n');
    assert.equal(lstatSync(join(tmp.directory, 'etc/x.conf')).mode & 0o7777, 0o4755);
    assert.equal(undoHostChange(host, file), 'removed');
    assert.deepEqual(readdirSync(join(tmp.directory, 'etc')), []);
    assert.equal(undoHostChange(host, file), 'absent');
  });

  it('keeps a file that was edited', () => {
    using tmp = temporaryDirectory('host-change');
    const host = new HostRoot(tmp.directory);
    mkdirSync(join(tmp.directory, 'etc'));
    applyHostChange(host, file, content);
    writeFileSync(join(tmp.directory, 'etc/x.conf'), 'mine\n');
    assert.equal(undoHostChange(host, file), 'kept-edited');
    assert.ok(existsSync(join(tmp.directory, 'etc/x.conf')));
  });

  it('removes the temporary file that a killed run left', () => {
    using tmp = temporaryDirectory('host-change');
    const host = new HostRoot(tmp.directory);
    mkdirSync(join(tmp.directory, 'etc'));
    writeFileSync(join(tmp.directory, 'etc/.x.conf.sysct~'), 'half');
    assert.equal(undoHostChange(host, file), 'absent');
    assert.deepEqual(readdirSync(join(tmp.directory, 'etc')), []);
  });

  it('undoes what could never be made, for its name is too long (host file name that breaks recovery)', () => {
    using tmp = temporaryDirectory('host-change');
    const host = new HostRoot(tmp.directory);
    mkdirSync(join(tmp.directory, 'etc'));
    const change = { ...file, path: `/etc/${'n'.repeat(255)}` };
    assert.equal(undoHostChange(host, change), 'absent');
  });

  it('replaces a symbolic link in its place instead of writing through it', () => {
    using tmp = temporaryDirectory('host-change');
    const host = new HostRoot(tmp.directory);
    mkdirSync(join(tmp.directory, 'etc'));
    writeFileSync(join(tmp.directory, 'victim'), 'safe');
    symlinkSync('../victim', join(tmp.directory, 'etc/x.conf'));
    applyHostChange(host, file, content);
    assert.equal(readFileSync(join(tmp.directory, 'victim'), 'utf8'), 'safe');
  });

  it('makes links and directories, and removes directories only when they are empty', () => {
    using tmp = temporaryDirectory('host-change');
    const host = new HostRoot(tmp.directory);
    const directory: HostChange = { kind: 'directory', path: '/opt', mode: 0o750, uid, gid };
    const link: HostChange = {
      kind: 'symlink',
      path: '/opt/l',
      target: '/nowhere',
      role: 'host-file',
    };
    applyHostChange(host, directory, undefined);
    applyHostChange(host, link, undefined);
    assert.equal(readlinkSync(join(tmp.directory, 'opt/l')), '/nowhere');
    assert.equal(lstatSync(join(tmp.directory, 'opt')).mode & 0o7777, 0o750);
    assert.equal(undoHostChange(host, directory), 'kept-not-empty');
    assert.equal(undoHostChange(host, link), 'removed');
    assert.equal(undoHostChange(host, directory), 'removed');
    assert.deepEqual(readdirSync(tmp.directory), []);
  });

  it('leaves the attributes of a directory that came into being meanwhile', () => {
    using tmp = temporaryDirectory('host-change');
    mkdirSync(join(tmp.directory, 'opt'));
    chmodSync(join(tmp.directory, 'opt'), 0o711);
    applyHostChange(
      new HostRoot(tmp.directory),
      { kind: 'directory', path: '/opt', mode: 0o700, uid, gid },
      undefined,
    );
    assert.equal(lstatSync(join(tmp.directory, 'opt')).mode & 0o777, 0o711);
  });
});

describe('a container directory', () => {
  it('names a generation only when it is built, and installs it by one link', () => {
    using tmp = temporaryDirectory('container');
    const directory = new ContainerDirectory(tmp.directory, 'etcd');
    assert.equal(directory.currentNumber(), undefined);
    const building = directory.startBuilding(1);
    writeFileSync(join(building, 'generation.json'), '{}');
    assert.deepEqual(directory.generationNumbers(), []);
    directory.finishBuilding(1);
    assert.deepEqual(directory.generationNumbers(), [1]);
    assert.equal(directory.currentNumber(), undefined);
    directory.pointCurrentAt(1);
    assert.equal(directory.currentNumber(), 1);
    assert.deepEqual(containerNames(tmp.directory), ['etcd']);
    directory.remove();
    assert.deepEqual(containerNames(tmp.directory), []);
  });

  it('counts where an admin moved it elsewhere and left a link, so that verify and fsck do not pass over it', () => {
    using tmp = temporaryDirectory('container');
    using elsewhere = temporaryDirectory('moved');
    const moved = new ContainerDirectory(elsewhere.directory, 'etcd');
    writeFileSync(join(moved.startBuilding(1), 'generation.json'), '{}');
    moved.finishBuilding(1);
    symlinkSync(moved.path, join(tmp.directory, 'etcd'));
    symlinkSync('/nowhere/at/all', join(tmp.directory, 'gone'));
    assert.deepEqual(containerNames(tmp.directory), ['etcd']);
    assert.deepEqual(new ContainerDirectory(tmp.directory, 'etcd').generationNumbers(), [1]);
  });

  it('starts building afresh after a killed run', () => {
    using tmp = temporaryDirectory('container');
    const directory = new ContainerDirectory(tmp.directory, 'etcd');
    writeFileSync(join(directory.startBuilding(1), 'half'), '');
    assert.deepEqual(readdirSync(directory.startBuilding(1)), []);
  });

  for (const target of ['0', '-1', 'x', '../etc']) {
    it(`does not take a current link to ${target} for an installed generation`, () => {
      using tmp = temporaryDirectory('container');
      mkdirSync(join(tmp.directory, 'etcd'));
      symlinkSync(target, join(tmp.directory, 'etcd/current'));
      assert.equal(new ContainerDirectory(tmp.directory, 'etcd').currentNumber(), undefined);
    });
  }

  it('calls a generation of another version broken', () => {
    using tmp = temporaryDirectory('container');
    const directory = new ContainerDirectory(tmp.directory, 'etcd');
    writeFileSync(join(directory.startBuilding(1), 'generation.json'), '{"version": 2}');
    directory.finishBuilding(1);
    assert.throws(() => directory.readGeneration(1), {
      code: 'CONTAINER_BROKEN',
      message: /version/,
    });
  });
});

describe('the journal of a switch', () => {
  const journal: SwitchJournal = {
    version: 1,
    action: 'install',
    generation: 3,
    units: ['a.service'],
    changes: [file],
    stateDirectories: ['/var/lib/a'],
    stateParents: [],
  };

  it('reads back what was written', () => {
    using tmp = temporaryDirectory('journal');
    assert.equal(readJournal(tmp.directory), undefined);
    writeJournal(tmp.directory, journal);
    assert.deepEqual(JSON.parse(JSON.stringify(readJournal(tmp.directory))), journal);
  });

  it('refuses a journal of another version', () => {
    using tmp = temporaryDirectory('journal');
    writeFileSync(join(tmp.directory, 'switch.json'), '{"version": 9}');
    assert.throws(() => readJournal(tmp.directory), { code: 'CONTAINER_BROKEN' });
  });

  for (const damage of [
    { action: 'x' },
    { generation: 'x' },
    { units: 5 },
    { units: [5] },
    { stateDirectories: undefined },
    { stateParents: 5 },
    { changes: [{ kind: 'zz', path: '/x' }] },
    { changes: [{ kind: 'directory', path: 'x' }] },
    { changes: [{ kind: 'file', path: '/x' }] },
    { changes: [null] },
  ]) {
    it(`is not acted upon with ${JSON.stringify(damage)} (poisoned journal)`, () => {
      using tmp = temporaryDirectory('journal');
      const whole = { ...{ version: 1, action: 'install', generation: 1, units: [] }, changes: [] };
      const text = JSON.stringify({ ...whole, stateDirectories: [], ...damage });
      writeFileSync(join(tmp.directory, 'switch.json'), text);
      assert.throws(() => readJournal(tmp.directory), { message: /it is damaged$/ });
    });
  }
});

describe('state directories', () => {
  it('go when they are empty, and are named when they hold data', () => {
    using tmp = temporaryDirectory('state');
    const host = new HostRoot(tmp.directory);
    mkdirSync(join(tmp.directory, 'a/b'), { recursive: true });
    mkdirSync(join(tmp.directory, 'c'));
    writeFileSync(join(tmp.directory, 'c/data'), '');
    assert.deepEqual(missingPaths(host, ['/a', '/d']), ['/d']);
    assert.deepEqual(removeStateDirectories(host, ['/a', '/a/b', '/c', '/d']), ['/c']);
    assert.deepEqual(readdirSync(tmp.directory), ['c']);
    purgeStateDirectories(host, ['/c']);
    assert.deepEqual(readdirSync(tmp.directory), []);
  });

  it('are purged nowhere else, whatever links have come to lie in their paths (purge through a link)', () => {
    using tmp = temporaryDirectory('state');
    const host = new HostRoot(tmp.directory);
    const at = (path: string): string => join(tmp.directory, path);
    mkdirSync(at('etc/ssh'), { recursive: true });
    const [state = ''] = missingPaths(host, ['/state/ssh']);
    symlinkSync('/etc', at('state'));
    purgeStateDirectories(host, [state]);
    assert.deepEqual(removeStateDirectories(host, [state]), []);
    assert.ok(existsSync(at('etc/ssh')));
  });

  it('are known by the place that they are made in, links and all', () => {
    using tmp = temporaryDirectory('state');
    const host = new HostRoot(tmp.directory);
    mkdirSync(join(tmp.directory, 'var/srv/x'), { recursive: true });
    symlinkSync('var/srv', join(tmp.directory, 'srv'));
    const missing = missingPaths(host, ['/srv/x/../y', '/srv/y']);
    assert.deepEqual(missing, ['/var/srv/y']);
    mkdirSync(join(tmp.directory, 'srv/y/data'), { recursive: true });
    purgeStateDirectories(host, missing);
    assert.deepEqual(readdirSync(join(tmp.directory, 'var/srv')), ['x']);
  });
});

describe('directoriesOfTmpfiles', () => {
  const cases = [
    { line: 'd /var/lib/etcd 0700 root root - -', found: ['/var/lib/etcd'] },
    { line: 'D! /var/lib/a/ - - - -', found: ['/var/lib/a'] },
    { line: 'd "/var/lib/with space" 0755 - - -', found: ['/var/lib/with space'] },
    { line: 'd /var/lib/100%% - - - -', found: ['/var/lib/100%'] },
    { line: 'd /var/lib/with\\x20space - - - -', found: ['/var/lib/with space'] },
    { line: 'd %S/etcd - - - -', found: ['/var/lib/etcd'] },
    { line: 'd /run/etcd 0700 - - -', found: [] },
    { line: 'd /var/run/etcd 0700 - - -', found: [] },
    { line: 'd /var/lib/%m - - - -', found: [] },
    { line: 'f /var/lib/file - - - -', found: [] },
    { line: '# d /var/lib/comment', found: [] },
    { line: 'Z /var/lib/etcd 0700 root root - -', found: [] },
  ];
  for (const { line, found } of cases) {
    it(`finds ${JSON.stringify(found)} in ${line}`, () =>
      assert.deepEqual(directoriesOfTmpfiles(line), found));
  }
});
