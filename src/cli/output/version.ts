// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

declare const SYSCT_VERSION: string | undefined;

/** The version of package.json: set by the build, read from the file when run from a checkout. */
export const VERSION: string =
  typeof SYSCT_VERSION === 'string' ? SYSCT_VERSION : versionOfCheckout();

function versionOfCheckout(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
