// SPDX-License-Identifier: Apache-2.0
// Puts planned launches onto a test host, as an install would, but with roots made by hand: an EROFS
// image by mkfs.erofs below an overlay, which are the two mounts of a real checkout.
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CAPABILITIES } from '../../../src/launch/capability.ts';
import { execValues, type LaunchWith } from '../../../src/launch/exec-values.ts';
import { type LaunchPlan, planLaunch } from '../../../src/launch/plan-launch.ts';
import type { RuntimeConfig, RuntimeMount } from '../../../src/oci/runtime-config.ts';
import { runChecked } from '../../../src/sys/process.ts';

export const BY_RUNC: LaunchWith = {
  launcher: 'runc',
  runtime: { path: '/usr/bin/runc', kind: 'runc', version: '' },
};
export const BY_CRUN: LaunchWith = {
  launcher: 'runc',
  runtime: { path: '/usr/bin/crun', kind: 'crun', version: '' },
};
export const BY_CHROOT: LaunchWith = { launcher: 'chroot' };

export interface RigService {
  readonly name: string;
  readonly how: LaunchWith;
  readonly config: RuntimeConfig;
  /** With `$EXEC_START` in it; undefined for the default unit. */
  readonly service?: string;
  readonly stopSignal?: string;
}

const STORE = '/var/lib/sysct';

/** Plans the service and writes its units, its config and the image of its root below `hostRoot`. */
export async function placeService(hostRoot: string, service: RigService): Promise<LaunchPlan> {
  const { name, how, config } = service;
  const bundle = `${STORE}/containers/${name}/1`;
  const running = `/run/sysct/${name}/1`;
  const image = `${bundle}/rootfs.erofs`;
  const plan = planLaunch({
    name,
    how,
    config,
    serviceText: service.service?.replaceAll(
      '$EXEC_START',
      execValues(name, config, how).EXEC_START,
    ),
    stopSignal: service.stopSignal,
    bundle,
    rootfs: `${running}/rootfs`,
    mounts: [
      { what: image, where: `${running}/meta`, type: 'erofs', options: ['ro', 'nodev'] },
      {
        what: 'overlay',
        where: `${running}/rootfs`,
        type: 'overlay',
        options: ['ro', `lowerdir=${running}/meta:${STORE}/objects`],
      },
    ],
    store: STORE,
    facts: {
      capabilities: new Set(CAPABILITIES.filter((c) => c !== 'CAP_SYS_RESOURCE')),
      selinuxEnabled: false,
      systemdVersion: 252,
      uids: new Set([0, 1234]),
      gids: new Set([0, 7, 1235]),
    },
    order: { daemons: ['docker.service'], before: [], after: [], requires: [] },
    provenance: { image: 'example/test:1', digest: 'sha256:0', generation: 1, policy: 'test' },
  });
  mkdirSync(join(hostRoot, STORE, 'objects'), { recursive: true });
  write(join(hostRoot, bundle, 'config.json'), plan.configText ?? '');
  for (const unit of plan.units) write(join(hostRoot, 'etc/systemd/system', unit.name), unit.text);
  await makeImage(hostRoot, join(hostRoot, image), plan);
  return plan;
}

/** A root with busybox's commands, in which the host's /usr can be bound over /host-usr. */
async function makeImage(hostRoot: string, image: string, plan: LaunchPlan): Promise<void> {
  const tree = mkdtempSync('/dev/shm/sysct-rig-');
  try {
    chmodSync(tree, 0o755);
    for (const directory of ['bin', 'lib', 'usr']) mkdirSync(join(tree, directory));
    cpSync(join(hostRoot, 'bin/busybox'), join(tree, 'bin/busybox'));
    for (const command of COMMANDS) symlinkSync('busybox', join(tree, 'bin', command));
    symlinkSync('usr/lib64', join(tree, 'lib64'));
    rmSync(join(tree, 'lib'), { recursive: true });
    symlinkSync('usr/lib', join(tree, 'lib'));
    for (const { path, kind } of plan.mountPoints) {
      if (kind === 'directory') mkdirSync(join(tree, path), { recursive: true });
      else write(join(tree, path), '');
    }
    await runChecked('mkfs.erofs', ['--quiet', image, tree]);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

const COMMANDS =
  'sh sleep cat id env ls touch grep mount pwd kill echo mkdir hostname test true'.split(' ');

/** `sh -c SCRIPT` as root in own PID, IPC, UTS and mount namespaces, with the usual mounts. */
export function shellConfig(script: string, more: readonly RuntimeMount[] = []): RuntimeConfig {
  return {
    ociVersion: '1.0.2',
    process: {
      args: ['/bin/sh', '-c', script],
      env: ['PATH=/bin:/usr/bin'],
      cwd: '/',
      user: { uid: 0, gid: 0 },
      capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
      { destination: '/run', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
      ...more,
    ],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  };
}

/** The same, without a PID namespace: for a chroot. */
export function chrootConfig(script: string, more: readonly RuntimeMount[] = []): RuntimeConfig {
  return { ...shellConfig(script, more), linux: { namespaces: [{ type: 'mount' }] } };
}

export function bind(source: string, destination: string, access: 'ro' | 'rw'): RuntimeMount {
  return { source, destination, type: 'bind', options: ['rbind', access] };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
