// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sha256 } from '../../../../src/base/digest.ts';
import { hostView } from '../../../../src/container/host/host-view.ts';
import { HostRoot } from '../../../../src/sys/host-root.ts';
import { temporaryDirectory } from '../../../support/tmp.ts';

describe('hostView', () => {
  it('tells files, directories, links and the rest apart, inside the root', async () => {
    using tmp = temporaryDirectory('host-view');
    const at = (path: string): string => join(tmp.directory, path);
    mkdirSync(at('usr/lib'), { recursive: true });
    symlinkSync('/usr/lib', at('lib'));
    symlinkSync('/usr/lib/a', at('to-file'));
    symlinkSync('/nowhere', at('dangling'));
    writeFileSync(at('usr/lib/a'), 'content', { mode: 0o640 });
    const socket = createServer().listen(at('socket'));
    await once(socket, 'listening');
    const view = hostView(new HostRoot(tmp.directory));

    const file = view.look('/lib/a');
    assert.ok(file?.kind === 'file');
    assert.deepEqual([file.mode, file.digest()], [0o640, sha256('content')]);
    assert.deepEqual(view.look('/usr'), { kind: 'directory' });
    assert.deepEqual(view.look('/lib'), {
      kind: 'symlink',
      target: '/usr/lib',
      leadsTo: 'directory',
    });
    assert.deepEqual(view.look('/to-file'), {
      kind: 'symlink',
      target: '/usr/lib/a',
      leadsTo: 'other',
    });
    assert.deepEqual(view.look('/dangling'), {
      kind: 'symlink',
      target: '/nowhere',
      leadsTo: undefined,
    });
    assert.deepEqual(view.look('/socket'), { kind: 'other' });
    assert.equal(view.look('/missing/x'), undefined);
    assert.equal(view.look('/usr/lib/a/below-a-file'), undefined);

    assert.equal(view.canonical('/lib/a'), '/usr/lib/a');
    assert.equal(view.canonical('/lib'), '/lib');
    assert.equal(view.canonical('/new/dir'), '/new/dir');
    socket.close();
  });
});
