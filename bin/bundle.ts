// SPDX-License-Identifier: Apache-2.0
// Bundles the program for quick starts: CommonJS, because Node reads every export of the built-in modules
// that an ES module imports, and so loads streams, sockets and terminals for nothing.
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** Shipped as its own unmodified files, in node_modules beside the program: it is LGPL. */
export const UNMODIFIED_PACKAGES: readonly string[] = ['openpgp'];

/** Packages that few verbs load, when they need them: a file each in `packages/`. */
const SEPARATE_PACKAGES = ['undici', 'tar-stream', 'dbus-next', 'yaml'];

/** Loaded by Node itself before any program runs, and used as values as a whole. */
const LOADED_ANYWAY = new Set([
  'buffer',
  'events',
  'fs',
  'path',
  'process',
  'timers',
  'url',
  'util',
]);

/**
 * Writes `src/cli/main.ts` and all it needs below `outDir`: `main.cjs`, `program.cjs` with all that is
 * not about the version, which it loads by `load-program.cjs`, `packages/`, and `workers/`: a
 * file of `src` called `NAME-worker.ts` is the program of a worker thread.
 * @returns the files that went into it, for the licence notices.
 */
export async function bundleProgram(outDir: string, version: string): Promise<readonly string[]> {
  const ours = {
    ...COMMON,
    define: {
      SYSCT_VERSION: JSON.stringify(version),
      'import.meta.url': 'importMetaUrl',
      'import.meta.dirname': '__dirname',
    },
    banner: { js: "const importMetaUrl = 'file://' + encodeURI(__filename);" },
  } satisfies BuildOptions;
  const main = await build({
    ...ours,
    entryPoints: ['src/cli/main.ts'],
    outfile: join(outDir, 'main.cjs'),
    plugins: [separateFiles({ './program.ts': './load-program.cjs' }), lazyBuiltins],
  });
  const packages = new Map(SEPARATE_PACKAGES.map((name) => [`./packages/${name}.cjs`, name]));
  const program = await build({
    ...ours,
    entryPoints: ['src/cli/program.ts'],
    outfile: join(outDir, 'program.cjs'),
    plugins: [
      separateFiles(Object.fromEntries([...packages].map(([file, name]) => [name, file]))),
      workerPrograms,
      lazyBuiltins,
    ],
  });
  const workers = globSync('src/**/*-worker.ts').map((entry) =>
    build({
      ...ours,
      entryPoints: [entry],
      outfile: join(outDir, 'workers', `${basename(entry, '.ts')}.cjs`),
      plugins: [lazyBuiltins],
    }),
  );
  const loaded = Object.values(program.metafile.outputs)
    .flatMap(({ imports }) => imports.map(({ path }) => packages.get(path)))
    .filter((name) => name !== undefined);
  const separate = [...new Set(loaded)].map((name) =>
    build({
      ...COMMON,
      entryPoints: [name],
      outfile: join(outDir, 'packages', `${name}.cjs`),
      plugins: [lazyBuiltins],
    }),
  );
  const results = [main, program, ...(await Promise.all([...separate, ...workers]))];
  return results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
}

const COMMON = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node26',
  mainFields: ['module', 'main'],
  // `import()` becomes a `require` when it is reached, which spares the loader of ES modules.
  supported: { 'dynamic-import': false },
  legalComments: 'none',
  // dbus-next does without x11 and usocket.
  external: [...UNMODIFIED_PACKAGES, 'x11', 'usocket'],
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions;

function separateFiles(files: Record<string, string>): Plugin {
  return {
    name: 'separate files',
    setup: ({ onResolve }) => {
      onResolve({ filter: anyOf(Object.keys(files)) }, ({ path }) => ({
        path: files[path] ?? path,
        external: true,
      }));
    },
  };
}

/**
 * A built-in module that our code imports is loaded when one of its exports is first used. What
 * packages ask for by `require` is loaded there and then, as they expect.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy built-in modules',
  setup: ({ onResolve, onLoad }) => {
    const namespace = 'lazy-built-in';
    const filter = anyOf(builtinModules.flatMap((name) => [name, `node:${name}`]));
    onResolve({ filter }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '');
      const lazy = kind === 'import-statement' && !LOADED_ANYWAY.has(name);
      return lazy ? { path: name, namespace } : { path, external: true };
    });
    onLoad({ filter: /.*/, namespace }, async ({ path }) => {
      const module = JSON.stringify(`node:${path}`);
      const names = Object.keys((await import(`node:${path}`)) as object);
      const exported = JSON.stringify(names.filter((name) => /^(?!default$)[\w$]+$/.test(name)));
      const property = `{ enumerable: true, get: () => process.getBuiltinModule(${module})[name] }`;
      return {
        contents: `for (const name of ${exported}) Object.defineProperty(exports, name, ${property});`,
      };
    });
  },
};

/** `new URL('./NAME-worker.ts', import.meta.url)` in the sources means the bundle of that worker. */
const workerPrograms: Plugin = {
  name: 'programs of worker threads',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[/]src[/].*[.]ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const url = /new URL\('\.\/([\w-]+-worker)\.ts', import\.meta\.url\)/g;
      const contents = text.replace(url, "new URL('./workers/$1.cjs', import.meta.url)");
      return { contents, loader: 'ts' };
    });
  },
};

function anyOf(names: readonly string[]): RegExp {
  const escaped = names.map((name) => name.replaceAll('/', '\\/').replaceAll('.', '\\.'));
  return new RegExp(`^(?:${escaped.join('|')})$`);
}
