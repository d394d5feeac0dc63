// SPDX-License-Identifier: Apache-2.0
// The house of docs/architecture.md as rules: imports only point downwards, each package has one door,
// pure rooms stay pure. test/unit/architecture.test.ts enforces them.

/** Each room, and the rooms below it that it may import. */
const ROOMS = {
  cli: [
    'container',
    'image',
    'registry',
    'trust',
    'store',
    'archive',
    'template',
    'launch',
    'systemd',
    'oci',
    'sys',
    'base',
  ],
  container: [
    'image',
    'registry',
    'trust',
    'store',
    'archive',
    'template',
    'launch',
    'systemd',
    'oci',
    'sys',
    'base',
  ],
  image: ['registry', 'trust', 'store', 'archive', 'oci', 'sys', 'base'],
  registry: ['archive', 'oci', 'sys', 'base'],
  trust: ['archive', 'oci', 'sys', 'base'],
  store: ['archive', 'oci', 'sys', 'base'],
  archive: ['oci', 'sys', 'base'],
  template: ['oci', 'base'],
  launch: ['systemd', 'oci', 'sys', 'base'],
  systemd: ['oci', 'sys', 'base'],
  oci: ['base'],
  sys: ['base'],
  base: [],
};

/** The rooms inside `image`, each with the rooms below it; what is done with an image as a whole stands on top of them. */
const IMAGE_ROOMS = {
  repair: ['fetch', 'source'],
  fetch: ['source'],
  gate: ['source'],
  source: [],
};

/** The rooms inside `registry`, each with the rooms below it; `src/registry/registry-client.ts` stands on top of them. */
const REGISTRY_ROOMS = {
  signature: ['request', 'configuration', 'http'],
  request: ['login', 'configuration', 'http'],
  login: ['configuration', 'http'],
  configuration: ['http'],
  http: [],
};

/** The rooms inside `store`, each with the rooms below it; `src/store/store.ts` stands on top of them. */
const STORE_ROOMS = {
  check: ['collect', 'import', 'checkout', 'erofs', 'ref', 'layer', 'tree', 'disk'],
  collect: ['ref', 'layer', 'tree', 'disk'],
  import: ['reader', 'checkout', 'erofs', 'ref', 'layer', 'tree', 'disk'],
  reader: ['ref', 'checkout', 'erofs', 'layer', 'tree', 'disk'],
  checkout: ['erofs', 'layer', 'tree', 'disk'],
  erofs: ['tree', 'disk'],
  ref: ['disk'],
  layer: ['tree', 'disk'],
  tree: ['disk'],
  disk: [],
};

/** The rooms inside `trust`, each with the rooms below it; `src/trust/evaluate.ts` stands on top of them. */
const TRUST_ROOMS = {
  edit: ['sigstore', 'simple', 'lookaside', 'policy', 'verdict'],
  review: ['sigstore', 'simple', 'lookaside', 'policy', 'verdict'],
  sigstore: ['lookaside', 'policy', 'verdict'],
  simple: ['lookaside', 'policy', 'verdict'],
  lookaside: ['policy', 'verdict'],
  rule: ['policy', 'verdict'],
  policy: ['verdict'],
  verdict: [],
};

/** The rooms inside `cli`, each with the rooms below it; the program stands on top of them. */
const CLI_ROOMS = {
  verbs: ['parts', 'pages', 'context', 'options', 'output'],
  parts: ['context', 'options', 'output'],
  pages: ['context', 'options'],
  context: ['options', 'output'],
  options: ['output'],
  output: [],
};

/** The rooms inside `container`, each with the rooms below it; what a verb does as a whole stands on top of them. */
const CONTAINER_ROOMS = {
  check: ['record'],
  run: ['plan', 'record'],
  switch: ['plan', 'host', 'record'],
  plan: ['package', 'host', 'record'],
  package: ['record'],
  host: ['record'],
  record: [],
};

/** Where each third-party package may be imported. */
const DOORS = {
  commander: '^src/cli/',
  'dbus-next': '^src/systemd/',
  'jsonc-parser': '^src/base/(strict|edit)-json[.]ts$',
  openpgp: '^src/trust/',
  'smol-toml': '^src/(registry|cli)/',
  'tar-stream': '^(src/archive|test)/',
  undici: '^src/registry/',
  yaml: '^src/trust/',
};

/** No file system, no network, no processes: text and values in, values out. */
const PURE =
  '^src/(base|oci|template)/|^src/trust/policy/(policy|requirement|scope-lookup|signed-identity)[.]ts$|^src/trust/verdict/verdict[.]ts$';
const IMPURE_MODULES =
  '^(node:)?(fs|fs/promises|net|tls|http|https|dns|dgram|child_process|os|worker_threads)$';

module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).map(([room, below]) => ({
      name: `${room}-imports-downwards`,
      comment: `${room} may import ${below.length === 0 ? 'no other room' : below.join(', ')}`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${[room, ...below].join('|')})/` },
    })),
    ...Object.entries({
      cli: CLI_ROOMS,
      container: CONTAINER_ROOMS,
      image: IMAGE_ROOMS,
      registry: REGISTRY_ROOMS,
      store: STORE_ROOMS,
      trust: TRUST_ROOMS,
    }).flatMap(([house, rooms]) => [
      ...Object.entries(rooms).map(([room, below]) => ({
        name: `${house}-${room}-imports-downwards`,
        comment: `${house}/${room} may import ${below.length === 0 ? `no other room of ${house}` : below.join(', ')}`,
        severity: 'error',
        from: { path: `^src/${house}/${room}/` },
        to: { path: `^src/${house}/`, pathNot: `^src/${house}/(${[room, ...below].join('|')})/` },
      })),
      {
        name: `known-rooms-of-${house}`,
        comment: 'a new room needs its place in the house',
        severity: 'error',
        from: {
          path: `^src/${house}/[^/]+/`,
          pathNot: `^src/${house}/(${Object.keys(rooms).join('|')})/`,
        },
        to: {},
      },
    ]),
    {
      name: 'known-rooms',
      comment: 'a new room needs its place in the house',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(${Object.keys(ROOMS).join('|')})/` },
      to: {},
    },
    ...Object.entries(DOORS).map(([name, door]) => ({
      name: `one-door-for-${name}`,
      comment: `${name} is only for ${door}`,
      severity: 'error',
      from: { path: '^src/', pathNot: door },
      to: { path: `node_modules/${name}/` },
    })),
    {
      name: 'known-packages',
      comment: 'a new package needs a door here and a reason in docs/adr',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: 'node_modules/',
        pathNot: `node_modules/(${Object.keys(DOORS).join('|')}|@types)/`,
      },
    },
    {
      name: 'pure-rooms',
      comment: 'the I/O that feeds a parser lives in a file beside it',
      severity: 'error',
      from: { path: PURE },
      to: { path: IMPURE_MODULES },
    },
    {
      name: 'verbs-load-late',
      comment:
        'every verb is read at each start: what one of them works with is imported when it runs',
      severity: 'error',
      from: { path: '^src/cli/(verbs|context|options)/|^src/cli/program[.]ts$' },
      to: {
        path: '^src/(container|image|registry|trust|store|archive|template|launch|systemd)/',
        // Small, and of nothing but words.
        pathNot: '-error[.]ts$|^src/store/ref/(find-image|image-name)[.]ts$',
        dependencyTypesNot: ['type-only'],
        dynamic: false,
      },
    },
    {
      name: 'src-knows-no-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bin)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['dynamic-import'] } },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
