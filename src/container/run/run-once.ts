// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  existsSync,
  lchownSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../base/sysct-error.ts';
import { parseRuntimeConfig, printRuntimeConfig } from '../../launch/parse-runtime-config.ts';
import type { RuntimeConfig } from '../../oci/runtime-config.ts';
import {
  type CheckoutPlan,
  mountCheckout,
  planCheckout,
  unmountCheckout,
} from '../../store/checkout/checkout.ts';
import { probeCheckout } from '../../store/checkout/checkout-probe.ts';
import { AdditionalStore } from '../../store/reader/additional-store.ts';
import { writeErofsImage } from '../../store/erofs/write-erofs-image.ts';
import { writePlainTree } from '../../store/checkout/plain-tree.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { runProcess } from '../../sys/process.ts';
import { ROOT_IMAGE, ROOT_TREE } from '../record/generation-paths.ts';
import { ContainerError } from '../record/container-error.ts';
import type { ContainerParts } from '../record/container-parts.ts';
import { logTo } from './exec-command.ts';
import type { Invocation } from './invocation.ts';
import type { InstallPlan } from '../plan/install-plan.ts';

/** What a one-off run differs in from the service. */
export interface OneOff {
  /** Names the run among the containers of the runtime; unique. */
  readonly id: string;
  /** Instead of the container's own command; empty for that. */
  readonly command: readonly string[];
  readonly terminal: boolean;
  /** NAME=VALUE. */
  readonly env: readonly string[];
}

/**
 * Runs a planned container once, in the foreground, and leaves nothing: no unit, no generation, no
 * host file. Volumes live in a scratch directory that goes with it.
 *
 * @param spawn runs the program on the user's terminal and gives its exit status.
 * @throws ContainerError UNSUPPORTED for a plan that no OCI runtime launches.
 */
export async function runOnce(
  plan: InstallPlan,
  oneOff: OneOff,
  parts: ContainerParts,
  spawn: (invocation: Invocation) => Promise<number>,
): Promise<number> {
  const configText = plan.bundleFiles.get('config.json');
  const { runtime } = plan.generation;
  if (configText === undefined || runtime === undefined || plan.rootTree === undefined) {
    throw new ContainerError(
      'UNSUPPORTED',
      `running ${plan.generation.name} once: it is not launched by an OCI runtime`,
      {
        hint: 'install and start it, then use sysct exec',
      },
    );
  }
  const bundle = `/run/sysct/${oneOff.id}`;
  makeDirectories(bundle, 0o700);
  const made: string[] = [];
  let checkout: CheckoutPlan | undefined;
  try {
    checkout = await planAndWriteRoot(plan, bundle, parts);
    const root = await mountCheckout(checkout, parts.signal);
    const config = oneOffConfig(parseRuntimeConfig(configText, 'config.json'), root, oneOff);
    made.push(...makeBindSources(config));
    writeFileSync(join(bundle, 'config.json'), printRuntimeConfig(config), { mode: 0o600 });
    const runtimeLog = join(bundle, 'runtime.log');
    return await spawn({
      command: runtime,
      args: [...logTo(runtimeLog), 'run', '--bundle', bundle, oneOff.id],
      env: undefined,
      runtimeLog,
    });
  } finally {
    await runProcess(runtime, ['delete', '--force', oneOff.id]);
    if (checkout !== undefined) await unmountCheckout(checkout);
    rmSync(bundle, { recursive: true, force: true });
    for (const directory of made) removeIfEmpty(directory);
  }
}

/** Where the volumes of a one-off run live: the value of STATE_DIRECTORY for its plan. */
export function oneOffState(id: string): string {
  return `/run/sysct/${id}/state`;
}

async function planAndWriteRoot(
  plan: InstallPlan,
  bundle: string,
  parts: ContainerParts,
): Promise<CheckoutPlan> {
  const { signal } = parts;
  const { store } = plan;
  const { objects } = parts.store.layout;
  const additional = store instanceof AdditionalStore ? store.layout : undefined;
  const support = await probeCheckout({
    objects,
    additional: additional?.objects,
    runtimeDirectory: '/run/sysct',
    signal,
  });
  const checkout = planCheckout(support, {
    image: join(bundle, ROOT_IMAGE),
    objects,
    ...(additional && { additional: additional.directory }),
    meta: join(bundle, 'meta'),
    rootfs: join(bundle, 'rootfs'),
    plainTree: join(bundle, ROOT_TREE),
    sealed: plan.rootSeals !== undefined,
  });
  if (plan.rootTree === undefined) return checkout;
  using sources = store.contentSources();
  if (checkout.method === 'plain-tree') {
    mkdirSync(checkout.directory, { mode: 0o755 });
    await writePlainTree(plan.rootTree, checkout.directory, sources, signal);
    return checkout;
  }
  sources.useSeals(plan.rootSeals);
  const fd = openSync(join(bundle, ROOT_IMAGE), 'wx', 0o600);
  try {
    writeErofsImage(plan.rootTree, fd, sources);
  } finally {
    closeSync(fd);
  }
  return checkout;
}

function oneOffConfig(config: RuntimeConfig, root: string, oneOff: OneOff): RuntimeConfig {
  const { cgroupsPath: _service, ...linux } = config.linux ?? {};
  return {
    ...config,
    root: { path: root, readonly: true },
    process: {
      ...config.process,
      terminal: oneOff.terminal,
      args: oneOff.command.length > 0 ? [...oneOff.command] : (config.process?.args ?? []),
      env: [...(config.process?.env ?? []), ...oneOff.env],
    },
    linux,
  };
}

/** Makes what the container binds and the host lacks, as directories of its user; the topmost ones made are returned. */
function makeBindSources(config: RuntimeConfig): readonly string[] {
  const { uid = 0, gid = 0 } = config.process?.user ?? {};
  return (config.mounts ?? []).flatMap(({ source, options = [] }) => {
    const isBind = options.includes('bind') || options.includes('rbind');
    if (source === undefined || !isBind || existsSync(source)) return [];
    const topmost = makeDirectories(source, 0o700);
    lchownSync(source, uid, gid);
    return topmost === undefined ? [] : [topmost];
  });
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}
