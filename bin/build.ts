// SPDX-License-Identifier: Apache-2.0
// Makes dist/: a program that runs from there and on a host that has no Node, and its tarball.
//
//   dist/sysct                        the launcher
//   dist/lib/sysct/node, lib*.so.*    the runtime
//   dist/lib/sysct/*.cjs, *.cache     the program
//   dist/lib/sysct/packages/          parts of it that few verbs load
//   dist/lib/sysct/workers/           programs of worker threads
//   dist/lib/sysct/node_modules/      packages that are passed on unmodified
//   dist/share/                       man pages, shell completion, licences
//   dist/sysct-VERSION-linux-ARCH.tar.gz    bin/sysct, lib/sysct, share: unpack into /usr/local
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { completionScript } from '../src/cli/pages/completion-script.ts';
import { VERB_GROUPS, VERBS } from '../src/cli/verbs/verbs.ts';
import { runChecked } from '../src/sys/process.ts';
import { bundleProgram, UNMODIFIED_PACKAGES } from './bundle.ts';
import { writeManPages } from './man-pages.ts';
import { licenceNotices } from './notices.ts';
import { copyRuntime } from './runtime.ts';

process.chdir(join(import.meta.dirname, '..'));
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
// Built beside dist/ and then put in its place: whoever runs the old one is not disturbed for long.
const OUT = `dist.${process.pid}.partial`;
const LIB = `${OUT}/lib/sysct`;
const SHARE = `${OUT}/share`;
/** Those of the launcher: V8 refuses a code cache that was made under others. */
const FLAGS = ['--max-semi-space-size=2', '--initial-old-space-size=32'];
const RUNTIME = `node_modules/node-linux-${process.arch}`;

rmSync(OUT, { recursive: true, force: true });
mkdirSync(LIB, { recursive: true });
copyFileSync('bin/sysct', `${OUT}/sysct`);
chmodSync(`${OUT}/sysct`, 0o755);
if (!readFileSync('bin/sysct', 'utf8').includes(` ${FLAGS.join(' ')} `)) {
  throw new Error('bin/sysct starts the runtime with other flags than the build');
}
await copyRuntime(RUNTIME, LIB);
// Says that the .js files are ES modules, without which Node would look twice.
writeFileSync(`${LIB}/package.json`, '{ "type": "module" }\n');
const bundled = await bundleProgram(LIB, version);
copyFileSync('bin/load-program.cjs', `${LIB}/load-program.cjs`);
await runChecked(`${LIB}/node`, [...FLAGS, 'bin/code-cache.ts', LIB]);
for (const name of UNMODIFIED_PACKAGES) copyUnmodifiedPackage(name);
// In /usr/local the host's systemd finds them.
cpSync('units', `${OUT}/lib/systemd/system`, { recursive: true });

writeShared('doc/sysct/LICENSE', readFileSync('LICENSE', 'utf8'));
writeShared(
  'doc/sysct/LICENSES-of-packages',
  `${licenceNotices(bundled)}\nlibatomic is part of GCC: GPL-3.0 with the GCC Runtime Library Exception.\n`,
);
writeShared('doc/sysct/LICENSE-of-node', readFileSync(`${RUNTIME}/LICENSE`, 'utf8'));
writeShared('bash-completion/completions/sysct', completionScript('bash', VERBS, VERB_GROUPS));
writeShared('zsh/site-functions/_sysct', completionScript('zsh', VERBS, VERB_GROUPS));
writeShared('fish/vendor_completions.d/sysct.fish', completionScript('fish', VERBS, VERB_GROUPS));
await writeManPages(`${SHARE}/man`, version);

const tarball = `sysct-${version}-linux-${process.arch}.tar.gz`;
await runChecked('tar', [
  ...['--create', '--gzip', '--file', `${OUT}/${tarball}`, '--directory', OUT],
  ...['--sort=name', '--owner=root:0', '--group=root:0', '--transform', 's,^sysct$,bin/sysct,'],
  ...['sysct', 'lib', 'share'],
]);
rmSync('dist', { recursive: true, force: true });
renameSync(OUT, 'dist');
process.stdout.write(`dist/sysct\ndist/${tarball}\n`);

function writeShared(path: string, text: string): void {
  const file = join(SHARE, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function copyUnmodifiedPackage(name: string): void {
  const from = join('node_modules', name);
  const to = join(LIB, 'node_modules', name);
  const { exports: entry } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as {
    exports: { '.': { require: string } };
  };
  for (const file of ['package.json', 'LICENSE', entry['.'].require]) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    copyFileSync(join(from, file), join(to, file));
  }
}
