// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordedValue } from '../../../../src/container/record/generation.ts';
import {
  parseSetOptions,
  resolveValues,
  SYSTEM_DIRECTORIES,
  templateValues,
  type ValueSources,
} from '../../../../src/container/package/variables.ts';

const SOURCES: ValueSources = {
  forced: {
    DESTDIR: '/var/lib/sysct/containers/etcd/1',
    NAME: 'etcd',
    EXEC_START: '/usr/bin/runc run etcd',
    EXEC_STOP: '',
    EXEC_STARTPRE: '',
    EXEC_STOPPOST: '',
    HOST_UID: '0',
    HOST_GID: '0',
    IMAGE_NAME: 'etcd:3.4',
    IMAGE_ID: 'ab'.repeat(32),
  },
  set: new Map(),
  stored: {},
  host: {
    ...SYSTEM_DIRECTORIES,
    RUNTIME: '/usr/bin/runc',
    ATOMIC: '/usr/bin/sysct',
    capabilities: ['CAP_CHOWN', 'CAP_KILL'],
    newUuid: '3e6a2a36-0000-4000-8000-000000000000',
  },
  defaults: new Map(),
};

function resolve(sources: Partial<ValueSources>, name: string): RecordedValue | undefined {
  return resolveValues({ ...SOURCES, ...sources }).values.get(name);
}

describe('resolveValues', () => {
  it('gives the values of the host', () => {
    const values = templateValues(resolveValues(SOURCES).values);
    assert.deepEqual(
      ['RUN_DIRECTORY', 'CONF_DIRECTORY', 'STATE_DIRECTORY', 'PIDFILE', 'RUNTIME', 'ATOMIC'].map(
        (name) => values.get(name),
      ),
      ['/run', '/etc', '/var/lib', '/run/container-etcd.pid', '/usr/bin/runc', '/usr/bin/sysct'],
    );
    assert.equal(values.get('ALL_PROCESS_CAPABILITIES'), '"CAP_CHOWN",\n"CAP_KILL"');
    assert.equal(values.get('UUID'), SOURCES.host.newUuid);
  });

  it('lets forced win over everything', () => {
    const defaults = new Map([['NAME', 'other']]);
    assert.deepEqual(resolve({ defaults }, 'NAME'), { value: 'etcd', from: 'forced' });
  });
  it('lets --set win over stored, host and default', () => {
    const sources: Partial<ValueSources> = {
      set: new Map([['RUN_DIRECTORY', '/set']]),
      stored: { RUN_DIRECTORY: { value: '/stored', from: 'set' } },
      defaults: new Map([['RUN_DIRECTORY', '/default']]),
    };
    assert.deepEqual(resolve(sources, 'RUN_DIRECTORY'), { value: '/set', from: 'set' });
    assert.equal(resolve(sources, 'PIDFILE')?.value, '/set/container-etcd.pid');
  });
  it('lets what was set before win over the host, and keeps it', () => {
    for (const from of ['set', 'stored'] as const) {
      const stored = { RUN_DIRECTORY: { value: '/stored', from } };
      assert.deepEqual(resolve({ stored }, 'RUN_DIRECTORY'), { value: '/stored', from: 'stored' });
    }
  });
  it('finds host values and defaults anew, so that changed ones reach old containers', () => {
    const stored: Record<string, RecordedValue> = {
      PORT: { value: '8081', from: 'default' },
      ALL_PROCESS_CAPABILITIES: { value: '"CAP_OLD"', from: 'host' },
      NAME: { value: 'old', from: 'forced' },
    };
    const sources = { stored, defaults: new Map([['PORT', '9090']]) };
    assert.deepEqual(resolve(sources, 'PORT'), { value: '9090', from: 'default' });
    assert.equal(resolve(sources, 'NAME')?.value, 'etcd');
    assert.match(resolve(sources, 'ALL_PROCESS_CAPABILITIES')?.value ?? '', /CAP_CHOWN/);
  });
  it('keeps the UUID for life', () => {
    const stored: Record<string, RecordedValue> = { UUID: { value: 'first', from: 'host' } };
    assert.deepEqual(resolve({ stored }, 'UUID'), { value: 'first', from: 'stored' });
  });
  it('takes an image default for the UUID', () => {
    const defaults = new Map([['UUID', 'fixed']]);
    assert.deepEqual(resolve({ defaults }, 'UUID'), { value: 'fixed', from: 'default' });
  });
  it('lets the host win over image defaults, and says so where they differ', () => {
    const defaults = new Map([
      ['RUNTIME', '/usr/bin/crun'],
      ['CONF_DIRECTORY', '/etc'],
    ]);
    const { values, notes } = resolveValues({ ...SOURCES, defaults });
    assert.deepEqual(values.get('RUNTIME'), { value: '/usr/bin/runc', from: 'host' });
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? '', /"\/usr\/bin\/crun" for RUNTIME/);
  });
});

describe('parseSetOptions', () => {
  it('splits at the first =, and takes the last of equal names', () => {
    assert.deepEqual(
      parseSetOptions(['A=1', 'B=x=y', 'C=', 'A=2']),
      new Map([
        ['A', '2'],
        ['B', 'x=y'],
        ['C', ''],
      ]),
    );
  });
  for (const [option, message] of [
    ['PORT', /has no "="/],
    ['', /has no "="/],
    ['=x', /is not the name of a variable/],
    ['a-b=x', /is not the name of a variable/],
    ['NAME=x', /sysct decides this value itself/],
    ['EXEC_START=/bin/sh', /sysct decides this value itself/],
  ] as const) {
    it(`refuses ${JSON.stringify(option)}`, () => {
      assert.throws(() => parseSetOptions([option]), { code: 'USAGE', message });
    });
  }
});
