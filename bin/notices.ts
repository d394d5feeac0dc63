// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The licences of the packages that bundled files are from, as they ask to be passed on. */
export function licenceNotices(bundled: readonly string[]): string {
  const directories = bundled
    .map((input) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0])
    .filter((directory) => directory !== undefined);
  const notices = [...new Set(directories)].toSorted().map(noticeOf);
  return `sysct holds code of these packages.\n\n${notices.join('\n')}`;
}

function noticeOf(directory: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  ) as { name: string; version: string; license?: string };
  const files = globSync('{LICENSE,LICENCE,license,COPYING}*', { cwd: directory }).toSorted();
  const text = files
    .map((file) => join(directory, file))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8').trim())
    .join('\n\n');
  return `${'='.repeat(72)}\n${name} ${version} (${license ?? 'see below'})\n\n${text}\n`;
}
