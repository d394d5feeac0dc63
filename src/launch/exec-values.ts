// SPDX-License-Identifier: Apache-2.0
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import type { OciRuntime } from './oci-runtime.ts';

/**
 * The values of $EXEC_START, $EXEC_STOP, $EXEC_STARTPRE and $EXEC_STOPPOST. They are unit file syntax
 * already: the template engine must put them in as they are.
 */
export interface ExecValues {
  readonly EXEC_START: string;
  readonly EXEC_STOP: string;
  readonly EXEC_STARTPRE: string;
  readonly EXEC_STOPPOST: string;
}

export type LaunchWith =
  { readonly launcher: 'runc'; readonly runtime: OciRuntime } | { readonly launcher: 'chroot' };

/**
 * What a unit has to execute to run the container `name` whose config is `config`.
 * @throws LaunchError NAME_UNUSABLE, NO_COMMAND
 */
export function execValues(name: string, config: RuntimeConfig, how: LaunchWith): ExecValues {
  throw new Error(`being written: ${name} ${config.ociVersion} ${how.launcher}`);
}
