// SPDX-License-Identifier: Apache-2.0
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pageName, renderMainPage, renderVerbPage } from '../src/cli/pages/man-page.ts';
import { VERBS } from '../src/cli/verbs/verbs.ts';
import { runChecked } from '../src/sys/process.ts';

const MARKED_MAN = join(import.meta.dirname, '../node_modules/marked-man/bin/marked-man.js');

const WRITTEN = join(import.meta.dirname, '../docs/man');

/** Writes, below `directory`, sysct(1) and a page a verb from the words of `--help`, and the pages of docs/man. */
export async function writeManPages(directory: string, version: string): Promise<void> {
  const pages = [
    { file: 'man1/sysct.1', markdown: renderMainPage(VERBS) },
    ...VERBS.map((verb) => ({ file: `man1/${pageName(verb)}.1`, markdown: renderVerbPage(verb) })),
    ...globSync(`${WRITTEN}/*.md`).map((path) => {
      const name = basename(path, '.md');
      return { file: `man${name.at(-1)}/${name}`, markdown: readFileSync(path, 'utf8') };
    }),
  ];
  await Promise.all(
    pages.map(async ({ file, markdown }) => {
      const flags = ['--man-version', version, '--manual', 'sysct'];
      const { stdout } = await runChecked(process.execPath, [MARKED_MAN, ...flags], {
        input: markdown,
      });
      mkdirSync(join(directory, file, '..'), { recursive: true });
      writeFileSync(join(directory, file), stdout);
    }),
  );
}
