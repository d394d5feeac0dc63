// SPDX-License-Identifier: Apache-2.0
// Of verbs whose argument is an installed container or an image: which of the two it is, and what is neither.
import { quote } from '../../base/printable.ts';
import { isErrno, SysctError } from '../../base/sysct-error.ts';
import type { Context } from './context.ts';
import type { OptionValues } from '../options/option-values.ts';

/**
 * Whether the name means a container: what is both does, unless `--image` is given. Everybody may ask about images, and
 * only root can see what is installed.
 */
export async function meansContainer(
  context: Context,
  name: string,
  options: OptionValues,
): Promise<boolean> {
  if (options.flag('image')) return false;
  const { isInstalled } = await import('../../container/record/installed-container.ts');
  try {
    return isInstalled(context.containersDirectory, name);
  } catch (error) {
    if (isErrno(error, 'EACCES')) return false;
    throw error;
  }
}

/**
 * Uses a name as that of an image. What names no registry either is a slip in the name of a container as well as of an image.
 * @param doing for messages: `verifying`
 * @throws ContainerError CONTAINER_NOT_FOUND, and what `use` throws
 */
export async function asImage<T>(
  doing: string,
  name: string,
  options: OptionValues,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    const isShort = cause instanceof SysctError && cause.code === 'SHORT_NAME';
    if (!isShort || options.flag('image')) throw cause;
    const { ContainerError } = await import('../../container/record/container-error.ts');
    throw new ContainerError(
      'CONTAINER_NOT_FOUND',
      `${doing} ${quote(name)}: no such container is installed, and it names no registry to find an image in`,
      { cause, hint: '"sysct list" lists what is installed; of an image write the whole name' },
    );
  }
}
