// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../../base/sysct-error.ts';
import type { OptionValues } from './option-values.ts';

/** The value of `--launcher`; undefined leaves it to the image. */
export function launcherOf(options: OptionValues): 'runc' | 'chroot' | undefined {
  const text = options.text('launcher');
  if (text === undefined || text === 'runc' || text === 'chroot') return text;
  throw new UsageError(`--launcher ${text} is neither runc nor chroot`);
}
