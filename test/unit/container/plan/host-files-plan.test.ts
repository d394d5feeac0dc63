// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import type { HostChange } from '../../../../src/container/record/host-change.ts';
import {
  assertNoHostFileConflicts,
  type HostFilesPlan,
  type HostFilesRequest,
  planHostFiles,
} from '../../../../src/container/plan/host-files-plan.ts';
import type { HostEntry, HostView } from '../../../../src/container/host/host-view.ts';
import type { WantedHostFile } from '../../../../src/container/plan/wanted-host-file.ts';

const DIRECTORY: HostEntry = { kind: 'directory' };
const present = (text: string, mode = 0o644): HostEntry => ({
  kind: 'file',
  mode,
  digest: () => sha256(text),
});
const wanted = (path: string, text: string, mode = 0o644): WantedHostFile => ({
  kind: 'file',
  path,
  mode,
  bytes: { kind: 'rendered', bytes: Buffer.from(text) },
  role: 'host-file',
});
const unit = (path: string): WantedHostFile => ({ ...wanted(path, 'unit'), role: 'unit' }) as never;
const link = (path: string, target: string): WantedHostFile => ({
  kind: 'symlink',
  path,
  target,
  role: 'host-file',
});
const directory = (path: string, isWantedEmpty = true, mode = 0o755): WantedHostFile => ({
  kind: 'directory',
  path,
  mode,
  isWantedEmpty,
});
const written = (
  path: string,
  text: string,
  role: 'host-file' | 'beside' = 'host-file',
): HostChange => ({
  kind: 'file',
  path,
  mode: 0o644,
  uid: 0,
  gid: 0,
  digest: sha256(text),
  role,
});

/** A host with /etc, /usr and /opt, and what is given; `links` are directories that are links. */
function hostWith(
  entries: Readonly<Record<string, HostEntry>>,
  links: Readonly<Record<string, string>> = {},
): HostView {
  const all: Record<string, HostEntry> = {
    '/etc': DIRECTORY,
    '/usr': DIRECTORY,
    '/opt': DIRECTORY,
    ...entries,
  };
  return {
    look: (path) => all[path],
    canonical: (path) => {
      const found = Object.entries(links).find(([from]) => path.startsWith(`${from}/`));
      return found === undefined ? path : `${found[1]}${path.slice(found[0].length)}`;
    },
  };
}

function plan(
  files: readonly WantedHostFile[],
  host: HostView,
  rest: Partial<HostFilesRequest> = {},
): HostFilesPlan {
  return planHostFiles({
    wanted: files,
    host,
    owners: new Map(),
    previous: new Map(),
    stores: ['/var/lib/sysct'],
    ...rest,
  });
}

const brief = ({ changes }: HostFilesPlan) => changes.map(({ kind, path }) => `${kind} ${path}`);

describe('planHostFiles', () => {
  it('writes what is missing, with missing directories first, as root', () => {
    const result = plan([wanted('/opt/a/b/c', 'x', 0o750)], hostWith({}));
    assert.deepEqual(result.changes, [
      { kind: 'directory', path: '/opt/a', mode: 0o755, uid: 0, gid: 0 },
      { kind: 'directory', path: '/opt/a/b', mode: 0o755, uid: 0, gid: 0 },
      { ...written('/opt/a/b/c', 'x'), mode: 0o750 },
    ]);
    assert.deepEqual([...result.contents.keys()], ['/opt/a/b/c']);
    assert.deepEqual(result.conflicts, []);
  });

  it('gives directories the mode that the image gives them, and makes none for nothing', () => {
    const files = [
      directory('/opt/kept', false, 0o700),
      directory('/opt/moved-away', false),
      directory('/opt/empty', true, 0o1777),
      wanted('/opt/kept/x', ''),
    ];
    const modes = plan(files, hostWith({})).changes.map((change) =>
      change.kind === 'directory' ? [change.path, change.mode] : [change.path],
    );
    assert.deepEqual(modes, [['/opt/empty', 0o1777], ['/opt/kept', 0o700], ['/opt/kept/x']]);
  });

  it('leaves directories alone that are there, also behind links', () => {
    const linked: HostEntry = { kind: 'symlink', target: '/x', leadsTo: 'directory' };
    assert.deepEqual(
      plan([directory('/etc'), directory('/lib')], hostWith({ '/lib': linked })).changes,
      [],
    );
  });

  it('leaves equal files and links alone, without owning them', () => {
    const host = hostWith({
      '/usr/a': present('same'),
      '/usr/b': { kind: 'symlink', target: 'a', leadsTo: 'other' },
    });
    const result = plan([wanted('/usr/a', 'same'), link('/usr/b', 'a')], host);
    assert.deepEqual([result.changes, result.conflicts], [[], []]);
  });

  it('keeps a file of the admin under /etc and lays ours beside it', () => {
    const result = plan([wanted('/etc/a', 'ours')], hostWith({ '/etc/a': present('theirs') }));
    assert.deepEqual(result.changes, [written('/etc/a.sysctnew', 'ours', 'beside')]);
    assert.deepEqual(result.laidBeside, [{ path: '/etc/a', beside: '/etc/a.sysctnew' }]);
    assert.deepEqual(result.conflicts, []);
  });

  describe('with an earlier generation of the same container', () => {
    const previous = new Map<string, HostChange>([['/usr/a', written('/usr/a', 'old')]]);
    it('replaces a file that is as we wrote it', () => {
      const result = plan([wanted('/usr/a', 'new')], hostWith({ '/usr/a': present('old') }), {
        previous,
      });
      assert.deepEqual(result.changes, [written('/usr/a', 'new')]);
    });
    it('keeps a file that was edited and lays the new one beside it', () => {
      const host = hostWith({ '/usr/a': present('edited') });
      const result = plan([wanted('/usr/a', 'new')], host, { previous });
      assert.deepEqual(brief(result), ['file /usr/a.sysctnew']);
      assert.deepEqual(result.laidBeside, [{ path: '/usr/a', beside: '/usr/a.sysctnew' }]);
    });
    it('lays beside again, over what it laid there before', () => {
      const host = hostWith({ '/usr/a': present('edited'), '/usr/a.sysctnew': present('old') });
      const beside = new Map([['/usr/a.sysctnew', written('/usr/a.sysctnew', 'old', 'beside')]]);
      const result = plan([wanted('/usr/a', 'new')], host, { previous: beside });
      assert.deepEqual(result.changes, [written('/usr/a.sysctnew', 'new', 'beside')]);
    });
    it('keeps owning its directories and links', () => {
      const mine: HostChange[] = [
        { kind: 'directory', path: '/opt/d', mode: 0o755, uid: 0, gid: 0 },
        { kind: 'symlink', path: '/opt/d/l', target: 'old', role: 'host-file' },
      ];
      const host = hostWith({
        '/opt/d': DIRECTORY,
        '/opt/d/l': { kind: 'symlink', target: 'old', leadsTo: undefined },
      });
      const result = plan([link('/opt/d/l', 'new')], host, {
        previous: new Map(mine.map((change) => [change.path, change])),
      });
      assert.deepEqual(result.changes, [
        mine[0],
        { kind: 'symlink', path: '/opt/d/l', target: 'new', role: 'host-file' },
      ]);
    });
  });

  it('knows one file under two paths', () => {
    const host = hostWith({ '/usr/lib': DIRECTORY }, { '/lib': '/usr/lib' });
    const result = plan([wanted('/lib/a', '1'), wanted('/usr/lib/a', '2')], host);
    assert.deepEqual(result.conflicts, [{ path: '/usr/lib/a', reason: 'is wanted twice' }]);
    assert.deepEqual(brief(plan([wanted('/lib/b', '')], host)), ['file /usr/lib/b']);
  });

  const other: HostEntry = { kind: 'other' };
  const conflicts: readonly (readonly [
    string,
    readonly WantedHostFile[],
    Readonly<Record<string, HostEntry>>,
    Partial<HostFilesRequest>,
    readonly string[],
  ])[] = [
    [
      'a file that is there',
      [wanted('/usr/a', 'x')],
      { '/usr/a': present('y') },
      {},
      ['/usr/a exists already'],
    ],
    [
      'an equal file of another mode',
      [wanted('/usr/a', 'x', 0o755)],
      { '/usr/a': present('x') },
      {},
      ['/usr/a exists with mode 0644, not 0755'],
    ],
    [
      'a unit under /etc',
      [unit('/etc/x.service')],
      { '/etc/x.service': present('y') },
      {},
      ['/etc/x.service exists already'],
    ],
    [
      'a directory',
      [wanted('/usr/a', 'x')],
      { '/usr/a': DIRECTORY },
      {},
      ['/usr/a exists as a directory'],
    ],
    [
      'a device',
      [wanted('/usr/a', 'x')],
      { '/usr/a': other },
      {},
      ['/usr/a exists as a special file'],
    ],
    [
      'a dangling link, which writing would follow',
      [wanted('/usr/a', 'x')],
      { '/usr/a': { kind: 'symlink', target: '/x', leadsTo: undefined } },
      {},
      ['/usr/a exists as a symlink'],
    ],
    [
      'a file in place of a directory',
      [wanted('/usr/a/b/c', '')],
      { '/usr/a': present('') },
      {},
      ['/usr/a is no directory'],
    ],
    [
      'another link',
      [link('/usr/a', 'x')],
      { '/usr/a': { kind: 'symlink', target: 'y', leadsTo: 'other' } },
      {},
      ['/usr/a exists already'],
    ],
    [
      'files of other containers, even when they are gone',
      [wanted('/usr/a', 'x')],
      {},
      { owners: new Map([['/usr/a', 'one']]) },
      ['/usr/a belongs to container "one"'],
    ],
    [
      'a file beside which there is no room',
      [wanted('/etc/a', 'x')],
      { '/etc/a': present('y'), '/etc/a.sysctnew': present('z') },
      {},
      ['/etc/a.sysctnew exists already'],
    ],
    [
      'a link of the image that its own files would be written through',
      [link('/opt/x', '/etc/sysct'), wanted('/opt/x/sysct.toml', '')],
      {},
      {},
      ['/opt/x is wanted as a symlink and as a directory'],
    ],
    [
      'everything at once',
      [wanted('/usr/a', 'x'), wanted('/usr/b', 'x'), wanted('/usr/c', 'x')],
      { '/usr/a': present('y'), '/usr/c': present('y') },
      {},
      ['/usr/a exists already', '/usr/c exists already'],
    ],
  ];
  for (const [name, files, entries, rest, expected] of conflicts) {
    it(`reports ${name}`, () => {
      const result = plan(files, hostWith(entries), rest);
      assert.deepEqual(
        result.conflicts.map(({ path, reason }) => `${path} ${reason}`),
        expected,
      );
    });
  }

  for (const path of [
    '/proc/sys/kernel/core_pattern',
    '/sys/x',
    '/dev/x',
    '/run/sysct/x',
    '/var/lib/sysct/objects/x',
    '/etc/sysct/sysct.toml',
    '/etc/containers/policy.json',
    '/etc/containers/registries.d/x.yaml',
  ]) {
    it(`lets no image write ${path}`, () => {
      assert.throws(() => plan([wanted(path, '')], hostWith({})), { code: 'FORBIDDEN_HOST_PATH' });
    });
  }
  it('looks through the host’s links for forbidden paths, and names all', () => {
    const host = hostWith({}, { '/opt/x': '/var/lib/sysct' });
    assert.throws(() => plan([wanted('/opt/x/a', ''), directory('/dev/b')], host), {
      message: /"\/var\/lib\/sysct\/a", .*"\/dev\/b"|"\/dev\/b", .*"\/var\/lib\/sysct\/a"/,
    });
  });
  for (const [name, path] of [
    ['a name that leaves no room for a temporary one', `/etc/${'n'.repeat(250)}`],
    ['a path of thousands of bytes', `/${'a/'.repeat(2000)}x`],
  ] as const) {
    it(`lets no image write ${name} (host file name that breaks recovery)`, () => {
      assert.throws(() => plan([wanted(path, '')], hostWith({})), { code: 'FORBIDDEN_HOST_PATH' });
    });
  }
  it('lets images have neighbours of forbidden paths', () => {
    const files = [wanted('/etc/containers/storage.conf', ''), wanted('/etc/sysctl.d/x.conf', '')];
    assert.equal(plan(files, hostWith({})).conflicts.length, 0);
  });
});

describe('assertNoHostFileConflicts', () => {
  it('passes when there are none', () => {
    assert.doesNotThrow(() => assertNoHostFileConflicts('etcd', []));
  });
  it('names all of them', () => {
    const list = [
      { path: '/a', reason: 'exists already' },
      { path: '/b', reason: 'belongs to container "x"' },
    ];
    assert.throws(() => assertNoHostFileConflicts('etcd', list), {
      code: 'HOST_FILE_CONFLICT',
      message: /"\/a" exists already, "\/b" belongs to container "x"$/,
    });
  });
});
