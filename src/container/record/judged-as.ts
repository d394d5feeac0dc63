// SPDX-License-Identifier: Apache-2.0
import { parseSourceName } from '../../image/source/source-name.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';
import type { Generation } from './generation.ts';

/** The name that the image of a generation was judged as, as records of the store have it. */
export function judgedAs({
  source: text,
  reference,
}: Generation['image']): Pick<RefRecord, 'source' | 'reference'> {
  const isName = parseSourceName(text).transport === 'docker';
  return {
    source: isName && !text.startsWith('docker://') ? `docker://${text}` : text,
    reference: reference ?? (isName ? text.replace('docker://', '') : undefined),
  };
}
