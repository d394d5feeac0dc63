// SPDX-License-Identifier: Apache-2.0
// A crash site on a disk of a virtual machine. Programs run on it inside; it is made ready, and looked at to the byte,
// outside, while nobody has it mounted there.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../../src/sys/process.ts';
import type { CrashBench } from './crash-bench.ts';
import { CrashSite, type Ended } from './crash-site.ts';
import type { FileSystemKind } from '../disk/loop-image.ts';
import { withMountedImage } from '../disk/mounted-image.ts';
import type { RunningHost } from '../host/nspawn-host.ts';
import { SYSCT_BIND, SYSCT_ON_HOST } from '../host/shipped-sysct.ts';
import { createVm, type VmHost } from '../host/vm-host.ts';

/** mkfs.xfs refuses less than 300. */
const SIZE_MB = 400;

export class VmSite {
  /** In the guest. */
  readonly device: string;
  /** Where the guest has it, and the arguments for programs there. */
  readonly inside: CrashSite;
  readonly mountPoint: string;
  readonly image: string;
  readonly #fs: FileSystemKind;
  readonly #bench: CrashBench;
  readonly #outside: string;

  constructor({ vm, bench }: VmRig, name: string, fs: FileSystemKind) {
    this.device = `/dev/disk/by-id/virtio-${name}`;
    this.mountPoint = `/mnt/${name}`;
    this.image = vm.disk(name);
    this.inside = new CrashSite(this.mountPoint, bench.registry);
    this.#fs = fs;
    this.#bench = bench;
    this.#outside = join(bench.directory, name);
    mkdirSync(this.#outside, { recursive: true });
  }

  /** A fresh file system with a furnished site. */
  async make(): Promise<void> {
    await runChecked(`mkfs.${this.#fs}`, ['-q', this.#fs === 'ext4' ? '-F' : '-f', this.image]);
    await this.outside((site) => site.copyFrom(this.#bench.furnished));
  }

  /** Mounts it on this machine. */
  async outside<T>(use: (site: CrashSite) => Promise<T>): Promise<T> {
    return await withMountedImage(this.#fs, this.image, this.#outside, () =>
      use(new CrashSite(this.#outside, this.#bench.registry)),
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

/** A machine that has the program, and the registry at the address that it has outside. */
export class VmRig implements AsyncDisposable {
  readonly vm: VmHost;
  readonly bench: CrashBench;
  /** How fast this machine is. */
  bootMs = 0;
  #running: RunningHost | undefined;

  private constructor(vm: VmHost, bench: CrashBench) {
    this.vm = vm;
    this.bench = bench;
  }

  static async create(bench: CrashBench, disks: readonly string[]): Promise<VmRig> {
    const vm = await createVm({ disks: disks.map((name) => ({ name, sizeMb: SIZE_MB })) });
    return new VmRig(vm, bench);
  }

  /** The running machine, booted when it is off. */
  async running(): Promise<RunningHost> {
    this.#running ??= await this.#boot();
    return this.#running;
  }

  /** As its power cut. */
  async kill(): Promise<void> {
    await this.#running?.kill();
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vm[Symbol.asyncDispose]();
  }

  async #boot(): Promise<RunningHost> {
    const began = performance.now();
    const running = await this.vm.start({ bindReadOnly: [SYSCT_BIND] });
    this.bootMs = performance.now() - began;
    const { host } = this.bench.registry;
    const outside = `10.0.2.2:${host.slice(host.lastIndexOf(':') + 1)}`;
    await running.script(`
      systemd-run --quiet --unit=registry --socket-property=ListenStream=${host} \
        /lib/systemd/systemd-socket-proxyd ${outside}`);
    return running;
  }
}
