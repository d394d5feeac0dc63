// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderMainPage, renderVerbPage } from '../src/cli/man-page.ts';
import { VERBS } from '../src/cli/verbs.ts';
import { runChecked } from '../src/sys/process.ts';

const MARKED_MAN = join(import.meta.dirname, '../node_modules/marked-man/bin/marked-man.js');

/** Writes sysct.1 and a page for each verb, from the same words as `--help`. */
export async function writeManPages(directory: string, version: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const pages = [
    { name: 'sysct', markdown: renderMainPage(VERBS) },
    ...VERBS.map((verb) => ({ name: `sysct-${verb.name}`, markdown: renderVerbPage(verb) })),
  ];
  await Promise.all(
    pages.map(async ({ name, markdown }) => {
      const flags = ['--man-version', version, '--manual', 'sysct'];
      const { stdout } = await runChecked(process.execPath, [MARKED_MAN, ...flags], {
        input: markdown,
      });
      writeFileSync(join(directory, `${name}.1`), stdout);
    }),
  );
}
