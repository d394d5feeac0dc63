// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRegistriesConf } from '../../../../src/registry/configuration/registries-conf.ts';
import { RegistryError } from '../../../../src/registry/http/registry-error.ts';

const parse = (main: string, ...dropIns: string[]): ReturnType<typeof parseRegistriesConf> =>
  parseRegistriesConf(
    { path: '/etc/main.conf', text: main },
    dropIns.map((text, n) => ({ path: `/etc/d/${n}.conf`, text })),
  );

describe('parseRegistriesConf', () => {
  it('reads a registry with mirrors', () => {
    const { rules, warnings } = parse(`
      [[registry]]
      prefix = "example.com/foo/"
      location = "internal.example:5000/bar/"
      insecure = true
      [[registry.mirror]]
      location = "mirror.example/bar"
      pull-from-mirror = "tag-only"
      [[registry.mirror]]
      location = "other.example"
      insecure = true
    `);
    assert.deepEqual(warnings, []);
    assert.deepEqual(rules, [
      {
        prefix: 'example.com/foo',
        location: 'internal.example:5000/bar',
        insecure: true,
        blocked: false,
        file: '/etc/main.conf',
        mirrors: [
          { location: 'mirror.example/bar', insecure: false, pullFromMirror: 'tag-only' },
          { location: 'other.example', insecure: true, pullFromMirror: 'all' },
        ],
      },
    ]);
  });

  it('takes the location for a missing prefix', () => {
    assert.equal(parse('[[registry]]\nlocation = "a.example"').rules[0]?.prefix, 'a.example');
  });

  it('has only digests from mirrors under mirror-by-digest-only', () => {
    const { rules } = parse(`
      [[registry]]
      location = "a.example"
      mirror-by-digest-only = true
      [[registry.mirror]]
      location = "m.example"
    `);
    assert.equal(rules[0]?.mirrors[0]?.pullFromMirror, 'digest-only');
  });

  it('reads an empty configuration as no rules and the auth files', () => {
    assert.deepEqual(parseRegistriesConf(undefined, []), {
      rules: [],
      aliases: new Map(),
      unqualifiedSearchRegistries: [],
      credentialHelpers: ['containers-auth.json'],
      files: [],
      warnings: [],
    });
  });

  it('merges drop-ins: registries by prefix, lists overwritten, aliases merged and erased', () => {
    const conf = parse(
      `unqualified-search-registries = ["a.example", "b.example"]
       credential-helpers = ["containers-auth.json", "pass"]
       [[registry]]
       location = "one.example"
       insecure = true
       [[registry.mirror]]
       location = "m.example"
       [[registry]]
       location = "two.example"
       [aliases]
       etcd = "quay.io/coreos/etcd"
       gone = "quay.io/x/gone"`,
      `[[registry]]
       prefix = "one.example"
       location = "replaced.example"
       [aliases]
       gone = ""
       "sub/new" = "quay.io/x/new"`,
      'unqualified-search-registries = ["c.example"]',
    );
    assert.deepEqual(
      conf.rules.map(({ prefix, location, insecure, mirrors, file }) => ({
        prefix,
        location,
        insecure,
        mirrors,
        file,
      })),
      [
        {
          prefix: 'one.example',
          location: 'replaced.example',
          insecure: false,
          mirrors: [],
          file: '/etc/d/0.conf',
        },
        {
          prefix: 'two.example',
          location: 'two.example',
          insecure: false,
          mirrors: [],
          file: '/etc/main.conf',
        },
      ],
    );
    assert.deepEqual(conf.unqualifiedSearchRegistries, ['c.example']);
    assert.deepEqual(conf.credentialHelpers, ['containers-auth.json', 'pass']);
    assert.deepEqual(
      [...conf.aliases],
      [
        ['etcd', 'quay.io/coreos/etcd'],
        ['sub/new', 'quay.io/x/new'],
      ],
    );
    assert.deepEqual(conf.files, ['/etc/main.conf', '/etc/d/0.conf', '/etc/d/1.conf']);
  });

  it('warns of keys that mean nothing', () => {
    const { warnings } = parse(
      'unknown = 1\n[[registry]]\nlocation = "a.example"\nblocke = true\n[[registry.mirror]]\nlocation="m.example"\nx=1',
    );
    assert.deepEqual(
      warnings.map((line) => /key "(\w+)"/.exec(line)?.[1]),
      ['unknown', 'blocke', 'x'],
    );
  });

  it('reads the old format 1 when it stands alone, with a warning', () => {
    const conf = parse(`
      [registries.search]
      registries = ["s.example/"]
      [registries.insecure]
      registries = ["i.example", "both.example"]
      [registries.block]
      registries = ["b.example", "both.example"]
    `);
    assert.deepEqual(conf.unqualifiedSearchRegistries, ['s.example']);
    assert.deepEqual(
      conf.rules.map(({ prefix, insecure, blocked }) => [prefix, insecure, blocked]),
      [
        ['i.example', true, false],
        ['both.example', true, true],
        ['b.example', false, true],
      ],
    );
    assert.match(conf.warnings[0] ?? '', /old format 1/);
  });

  const refused: readonly { name: string; text: string; message: RegExp }[] = [
    { name: 'what is no TOML', text: '[[registry', message: /^\/etc\/main.conf: / },
    {
      name: 'a registry without a name',
      text: '[[registry]]',
      message: /neither prefix nor location/,
    },
    {
      name: 'a prefix without a location',
      text: '[[registry]]\nprefix = "a.example"',
      message: /"a.example" has no location/,
    },
    {
      name: 'a URL as location',
      text: '[[registry]]\nlocation = "https://a.example"',
      message: /without the scheme/,
    },
    {
      name: 'a URL as search registry',
      text: 'unqualified-search-registries = ["http://a.example"]',
      message: /without the scheme/,
    },
    {
      name: 'a wildcard with a path',
      text: '[[registry]]\nprefix = "*.a.example/x"\nlocation = "b.example"',
      message: /wildcard prefix/,
    },
    {
      name: 'a wildcard with a port',
      text: '[[registry]]\nprefix = "*.a.example:5000"\nlocation = "b.example"',
      message: /wildcard prefix/,
    },
    {
      name: 'a mirror without a location',
      text: '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\ninsecure = true',
      message: /mirror of "a.example" has no location/,
    },
    {
      name: 'pull-from-mirror on the registry itself',
      text: '[[registry]]\nlocation = "a.example"\npull-from-mirror = "all"',
      message: /belongs in a \[\[registry.mirror\]\]/,
    },
    {
      name: 'an unknown pull-from-mirror',
      text: '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "never"',
      message: /"never" is not one of all, digest-only, tag-only/,
    },
    {
      name: 'pull-from-mirror under mirror-by-digest-only',
      text: '[[registry]]\nlocation = "a.example"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "all"',
      message: /only one of them can hold/,
    },
    {
      name: 'conflicting insecure settings of one location',
      text: '[[registry]]\nprefix = "a.example/x"\nlocation = "l.example"\n[[registry]]\nprefix = "a.example/y"\nlocation = "l.example"\ninsecure = true',
      message: /"l.example" is defined several times with conflicting insecure settings/,
    },
    {
      name: 'conflicting blocked settings of one location',
      text: '[[registry]]\nprefix = "a.example/x"\nlocation = "l.example"\nblocked = true\n[[registry]]\nprefix = "a.example/y"\nlocation = "l.example"',
      message: /conflicting blocked settings/,
    },
    {
      name: 'a prefix given twice',
      text: '[[registry]]\nlocation = "a.example"\n[[registry]]\nlocation = "a.example"',
      message: /prefix "a.example" is defined twice/,
    },
    {
      name: 'formats 1 and 2 mixed',
      text: '[registries.search]\nregistries = []\n[[registry]]\nlocation = "a.example"',
      message: /mixes format 1/,
    },
    {
      name: 'an unknown short-name-mode',
      text: 'short-name-mode = "ask"',
      message: /"ask" is not one of/,
    },
    {
      name: 'a number as location',
      text: '[[registry]]\nlocation = 1',
      message: /"location" is not a string/,
    },
    {
      name: 'text as a flag',
      text: '[[registry]]\nlocation = "a.example"\nblocked = "yes"',
      message: /"blocked" is not true or false/,
    },
    {
      name: 'a single [registry]',
      text: '[registry]\nlocation = "a.example"',
      message: /written \[\[registry\]\]/,
    },
    {
      name: 'search registries as text',
      text: 'unqualified-search-registries = "a"',
      message: /not a list of strings/,
    },
    { name: 'aliases as text', text: 'aliases = "a"', message: /"aliases" is not a table/ },
    {
      name: 'an alias of a full name',
      text: '[aliases]\n"a.example/x" = "b.example/x"',
      message: /not a short name/,
    },
    {
      name: 'an alias with a tag',
      text: '[aliases]\n"x:1" = "b.example/x"',
      message: /not a short name/,
    },
    {
      name: 'an alias to a short name',
      text: '[aliases]\nx = "y"',
      message: /"y" is not REGISTRY\/REPOSITORY/,
    },
    {
      name: 'an alias to a tag',
      text: '[aliases]\nx = "b.example/y:1"',
      message: /is not REGISTRY\/REPOSITORY/,
    },
  ];
  for (const { name, text, message } of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parse(text),
        (error) =>
          error instanceof RegistryError && error.code === 'CONFIG' && message.test(error.message),
      );
    });
  }

  it('refuses a drop-in in format 1, naming it', () => {
    assert.throws(
      () => parse('', '[registries.search]\nregistries = []'),
      /\/etc\/d\/0.conf: a drop-in/,
    );
  });
});
