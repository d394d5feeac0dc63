// SPDX-License-Identifier: Apache-2.0
import { type Escaper, escaped } from './escaper.ts';

/** For files whose language we do not know: values stand as they are. */
export function textEscaper(): Escaper {
  return { pass: () => {}, escape: (_name, value) => escaped(value) };
}
