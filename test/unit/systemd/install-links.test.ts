// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { alsoUnits, installLinks } from '../../../src/systemd/install-links.ts';

const at = (directory: string, unit = 'etcd.service') => ({
  path: `/etc/systemd/system/${directory}/${unit}`,
  target: `/etc/systemd/system/${unit}`,
});

describe('installLinks', () => {
  const cases: readonly (readonly [name: string, install: string, links: unknown])[] = [
    ['nothing without an [Install] section', '', []],
    [
      'each target of WantedBy= and RequiredBy=',
      'WantedBy=multi-user.target a.service\nRequiredBy=b.service',
      [at('multi-user.target.wants'), at('a.service.wants'), at('b.service.requires')],
    ],
    ['nothing twice', 'WantedBy=a.target\nWantedBy=a.target', [at('a.target.wants')]],
    ['nothing before an empty assignment', 'WantedBy=a.target\nWantedBy=', []],
    [
      'aliases, but for the name itself',
      'Alias=db.service %n',
      [
        {
          path: '/etc/systemd/system/db.service',
          target: '/etc/systemd/system/etcd.service',
        },
      ],
    ],
    ['the specifiers of its own name', 'WantedBy=%N-%p.target', [at('etcd-etcd.target.wants')]],
    ['UpheldBy=', 'UpheldBy=a.target', [at('a.target.upholds')]],
  ];
  for (const [name, install, links] of cases) {
    it(`gives ${name}`, () => {
      const text = `[Service]\nExecStart=/bin/true\n${install === '' ? '' : `[Install]\n${install}\n`}`;
      assert.deepEqual(installLinks('etcd.service', text), links);
    });
  }

  for (const [name, install] of [
    ['a name that is no unit', 'WantedBy=../../x'],
    ['a name without a suffix', 'WantedBy=multi-user'],
    ['an alias of another kind', 'Alias=db.socket'],
    ['a specifier that only a running systemd knows', 'WantedBy=%H.target'],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(() => installLinks('etcd.service', `[Install]\n${install}\n`), {
        code: 'UNIT_INVALID',
      });
    });
  }

  it('knows the instance of a template', () => {
    const [link] = installLinks('web@8080.service', '[Install]\nWantedBy=%i.target\n');
    assert.equal(link?.path, '/etc/systemd/system/8080.target.wants/web@8080.service');
  });
});

describe('alsoUnits', () => {
  it('names the other units, once each', () => {
    const text = '[Install]\nAlso=etcd.socket etcd.service\n';
    assert.deepEqual(alsoUnits('etcd.service', text), ['etcd.socket']);
  });
});
