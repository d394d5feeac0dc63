// SPDX-License-Identifier: Apache-2.0
import type { JsonCursor } from './json-cursor.ts';

/** The `type` member that every requirement and every signed identity has. */
export function requirementType(cursor: JsonCursor): string {
  const type = cursor.members().find(([key]) => key === 'type')?.[1];
  return type === undefined ? cursor.fail('type is missing') : type.string();
}
