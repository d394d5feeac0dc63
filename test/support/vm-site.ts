// SPDX-License-Identifier: Apache-2.0
// A crash site on a disk of a virtual machine. Programs run on it inside; it is made ready, and looked at to the byte,
// outside, while nobody has it mounted there.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../src/sys/process.ts';
import type { CrashRegistry } from './crash-images.ts';
import { CrashSite, type Ended } from './crash-site.ts';
import type { FileSystemKind } from './loop-image.ts';
import { withMountedImage } from './mounted-image.ts';
import type { RunningHost } from './nspawn-host.ts';
import { SYSCT_BIND, SYSCT_ON_HOST } from './shipped-sysct.ts';
import type { VmDisk, VmHost } from './vm-host.ts';

/** mkfs.xfs refuses less than 300. */
const SIZE_MB = 400;

export function vmSiteDisk(name: string): VmDisk {
  return { name, sizeMb: SIZE_MB };
}

export class VmSite {
  /** In the guest. */
  readonly device: string;
  /** Where the guest has it, and the arguments for programs there. */
  readonly inside: CrashSite;
  readonly mountPoint: string;
  readonly image: string;
  readonly #fs: FileSystemKind;
  readonly #registry: CrashRegistry;
  readonly #outside: string;

  /** @param directory of this machine, for mounts. */
  constructor(
    vm: VmHost,
    name: string,
    fs: FileSystemKind,
    registry: CrashRegistry,
    directory: string,
  ) {
    this.device = `/dev/disk/by-id/virtio-${name}`;
    this.mountPoint = `/mnt/${name}`;
    this.image = vm.disk(name);
    this.inside = new CrashSite(this.mountPoint, registry);
    this.#fs = fs;
    this.#registry = registry;
    this.#outside = join(directory, name);
    mkdirSync(this.#outside, { recursive: true });
  }

  /** A fresh file system with a furnished site. */
  async make(): Promise<void> {
    await runChecked(`mkfs.${this.#fs}`, ['-q', this.#fs === 'ext4' ? '-F' : '-f', this.image]);
    await this.outside((site) => site.furnish());
  }

  /** Mounts it on this machine. */
  async outside<T>(use: (site: CrashSite) => Promise<T>): Promise<T> {
    return await withMountedImage(this.#fs, this.image, this.#outside, () =>
      use(new CrashSite(this.#outside, this.#registry)),
    );
  }

  /** Runs sysct in the guest, where the site is mounted at {@link mountPoint}. */
  async run(
    vm: RunningHost,
    [verb = '', ...rest]: readonly string[],
    wrapper = '',
  ): Promise<Ended> {
    const words = [SYSCT_ON_HOST, verb, '--root', this.inside.root, ...rest];
    const { exitCode, stdout, stderr } = await vm.exec('bash', ['-c', wrapper || RUN, ...words]);
    return { exitCode, stdout: stdout.toString('utf8'), stderr };
  }
}

const RUN = 'exec "$0" "$@"';

/** Boots a machine that has the program, and the registry at the address that it has outside. */
export async function bootForSites(vm: VmHost, registry: CrashRegistry): Promise<RunningHost> {
  const running = await vm.start({ bindReadOnly: [SYSCT_BIND] });
  const port = registry.host.slice(registry.host.lastIndexOf(':') + 1);
  await running.script(`
    systemd-run --quiet --unit=registry --socket-property=ListenStream=${registry.host} \\
      /lib/systemd/systemd-socket-proxyd 10.0.2.2:${port}`);
  return running;
}
