// SPDX-License-Identifier: Apache-2.0
// What is slow to make and the same each time (roots of hosts, images) is kept under `.cache/`, keyed
// by what it is made from. Safe beside other test processes; deleting the directory is always right.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FileLock } from '../../src/sys/flock.ts';

const CACHE = process.env['SYSCT_TEST_CACHE'] ?? join(import.meta.dirname, '../../.cache');

/**
 * The file made from `recipe` (anything JSON can hold), making it first if it is not there.
 * @param kind the first part of its name, for people who look.
 * @param make writes the file at the path it is given; what it leaves there appears whole or not at all.
 */
export async function cached(
  kind: string,
  recipe: unknown,
  make: (path: string) => Promise<void>,
): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 20);
  mkdirSync(CACHE, { recursive: true });
  const path = join(CACHE, `${kind}-${key}`);
  if (existsSync(path)) return path;
  using _lock = await FileLock.acquire(`${path}.lock`, 'exclusive');
  if (existsSync(path)) return path;
  const partial = `${path}.partial`;
  rmSync(partial, { recursive: true, force: true });
  await make(partial);
  renameSync(partial, path);
  return path;
}
