// SPDX-License-Identifier: Apache-2.0
import type { RuntimeConfig } from '../oci/runtime-config.ts';

/**
 * Parses a config.json (runtime-spec v1.0–1.2, and the release candidates before it that are in the
 * field: capabilities as a list, `linux.capabilities`, `platform`). Checks the type of every member
 * that sysct reads; others pass through.
 *
 * @param what names the document in messages.
 * @throws InvalidDocumentError INVALID_RUNTIME_CONFIG with the JSON path of the member; InvalidJsonError
 */
export function parseRuntimeConfig(text: string, what: string): RuntimeConfig {
  throw new Error(`being written: ${text} ${what}`);
}

/** The text of config.json as it is written beside the root. */
export function printRuntimeConfig(config: RuntimeConfig): string {
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
