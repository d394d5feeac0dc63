// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { runProcess } from '../../src/sys/process.ts';

const ROOT = join(import.meta.dirname, '../..');
const PURE_ROOMS = ['base', 'oci', 'template'];

describe('the house', () => {
  it('keeps the directions, doors and purity of .dependency-cruiser.cjs', async () => {
    const cruiser = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
    const args = [
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err',
      'src',
      'test',
      'bin',
    ];
    const { exitCode, stdout, stderr } = await runProcess(process.execPath, [cruiser, ...args], {
      cwd: ROOT,
    });
    assert.equal(exitCode, 0, `${stdout.toString('utf8')}${stderr}`);
  });

  it('gives pure rooms no clock, no environment and no process', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bprocess\.(?!stdout)|\bMath\.random\b|\bperformance\./;
    const found = PURE_ROOMS.flatMap((room) =>
      globSync(`src/${room}/**/*.ts`, { cwd: ROOT }),
    ).filter((file) => impure.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))));
    assert.deepEqual(found, []);
  });

  it('lets only the command line print or end the process', () => {
    const printing = /\bconsole\.|\bprocess\.(?:stdout|stderr|exit)\b/;
    const found = globSync('src/**/*.ts', { cwd: ROOT }).filter(
      (file) =>
        !file.startsWith('src/cli/') &&
        printing.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))),
    );
    assert.deepEqual(found, []);
  });

  it('has comments whose links lead somewhere', () => {
    const broken = globSync('{src,test,bin}/**/*.ts', { cwd: ROOT }).flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/\{@link ([^ }]+\.ts)/g)]
        .map(([, target = '']) => join(dirname(file), target))
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${file}: ${path}`),
    );
    assert.deepEqual(broken, []);
  });

  it('is described by pages that name files which are there', () => {
    const from = ['', 'src', 'test', 'src/trust'];
    const gone = globSync('docs/*.md', { cwd: ROOT }).flatMap((page) =>
      [...readFileSync(join(ROOT, page), 'utf8').matchAll(/`([^` *]+\/[^` *]+\.ts)`/g)]
        .map(([, path = '']) => path)
        .filter((path) => !from.some((place) => existsSync(join(ROOT, place, path))))
        .map((path) => `${page}: ${path}`),
    );
    assert.deepEqual(gone, []);
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, '');
}
