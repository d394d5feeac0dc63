// SPDX-License-Identifier: Apache-2.0
// A Debian with a kernel of its own in a virtual machine: fs-verity, an NFS server, dm-flakey, disks that
// fail, power cuts. For all else take test/support/host/nspawn-host.ts, which boots ten times faster.
//
//   /dev/shm/sysct-vm-…/root.img   its root, ext4, copied from the cache
//   /dev/shm/sysct-vm-…/NAME.img   each of its disks: /dev/disk/by-id/virtio-NAME in the guest
//
// Every instruction is interpreted (TCG), because few build machines have a usable KVM: the boot takes
// about ten seconds, and programs run ten to thirty times slower than outside. SYSCT_TEST_ACCEL=kvm uses
// KVM where it works.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runChecked, type ProcessOptions, type ProcessResult } from '../../../src/sys/process.ts';
import type { DebianRelease } from './debian-root.ts';
import type { RunningHost } from './nspawn-host.ts';
import { execOverTcp } from './vm-exec.ts';
import { EXEC_PORT, READY_MARK, vmRoot, type VmRoot } from './vm-root.ts';

/** Enough for stores on every kind of file system, over NFS, with quota, sealed, and on failing disks. */
export const VM_PACKAGES: readonly string[] = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'kmod', 'iproute2', 'util-linux', 'runc'],
  ...['e2fsprogs', 'xfsprogs', 'btrfs-progs', 'erofs-utils', 'quota', 'dmsetup'],
  ...['fsverity', 'attr', 'nfs-kernel-server', 'nfs-common', 'ca-certificates'],
];

export interface VmDisk {
  /** `/dev/disk/by-id/virtio-NAME` in the guest; at most 20 letters. */
  readonly name: string;
  readonly sizeMb: number;
  /** Also writes down every write and flush, in order, in the format of dm-log-writes: `vm.diskLog(NAME)`. */
  readonly logWrites?: boolean;
}

/** A cable between two virtual machines, which get 10.9.0.1 (`vm1`) and 10.9.0.2 (`vm2`). */
export interface VmLink extends Disposable {
  readonly directory: string;
}

export function createVmLink(): VmLink {
  const directory = mkdtempSync('/tmp/sysct-link-');
  return {
    directory,
    [Symbol.dispose]: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface VmOptions {
  /** Default `bookworm`: kernel 6.1. `trixie` has 6.12. */
  readonly release?: DebianRelease;
  /** Instead of {@link VM_PACKAGES}. */
  readonly packages?: readonly string[];
  /** Default 1024. */
  readonly memoryMb?: number;
  readonly disks?: readonly VmDisk[];
  readonly link?: { readonly to: VmLink; readonly end: 1 | 2 };
}

export interface VmBootOptions {
  /** `SOURCE:DESTINATION`: a directory of this machine, as it is at the boot. */
  readonly bindReadOnly?: readonly string[];
  /** For the boot, until systemd says that it is done. Default 10 minutes. */
  readonly timeoutMs?: number;
}

export interface VmHost extends AsyncDisposable {
  /**
   * Boots it and waits until systemd has finished with the default target. The guest reaches this machine's
   * loopback, and so a registry there, at 10.0.2.2.
   */
  start(options?: VmBootOptions): Promise<RunningHost>;
  /** The image file of a disk; look at it, or change it, while the machine is off. */
  disk(name: string): string;
  /** What was written to a disk with `logWrites` since the last boot. */
  diskLog(name: string): string;
}

/**
 * A fresh virtual machine, switched off. `kill()` of the running one is the power cut: what its kernel has
 * not yet written is lost; what it has written is on the disks, flushed or not.
 */
export async function createVm(options: VmOptions = {}): Promise<VmHost> {
  const root = await vmRoot(options.release ?? 'bookworm', options.packages ?? VM_PACKAGES);
  sweepVms();
  const directory = mkdtempSync(join(VMS, `${VM_PREFIX}${process.pid}-`));
  await runChecked('cp', ['--sparse=always', root.image, join(directory, 'root.img')]);
  for (const { name, sizeMb } of options.disks ?? []) {
    writeFileSync(join(directory, `${name}.img`), '');
    truncateSync(join(directory, `${name}.img`), sizeMb * 1024 * 1024);
  }
  return new QemuVm(directory, root, options);
}

const VMS = '/dev/shm';
const VM_PREFIX = 'sysct-vm-';

/** Removes the files of test processes that were killed before they could do it. */
function sweepVms(): void {
  for (const name of readdirSync(VMS).filter((entry) => entry.startsWith(VM_PREFIX))) {
    const owner = /^sysct-vm-(?<pid>\d+)-/.exec(name)?.groups?.['pid'];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    rmSync(join(VMS, name), { recursive: true, force: true });
  }
}

class QemuVm implements VmHost {
  readonly #directory: string;
  readonly #root: VmRoot;
  readonly #options: VmOptions;
  #running: QemuBoot | undefined;

  constructor(directory: string, root: VmRoot, options: VmOptions) {
    this.#directory = directory;
    this.#root = root;
    this.#options = options;
  }

  async start(options: VmBootOptions = {}): Promise<RunningHost> {
    if (this.#running?.isOff === false) throw new Error(`${this.#directory} is booted already`);
    const binds = await Promise.all(
      (options.bindReadOnly ?? []).map((bind, index) => this.#packBind(bind, index)),
    );
    for (const { name, logWrites } of this.#options.disks ?? []) {
      if (logWrites !== true) continue;
      writeFileSync(this.diskLog(name), '');
      truncateSync(this.diskLog(name), LOG_SIZE);
    }
    const address = freeAddress();
    const boot = new QemuBoot(address, [
      ...machineFlags(this.#options, this.#root.kernel),
      ...['-drive', `file=${join(this.#directory, 'root.img')},format=raw,if=none,id=root`],
      ...['-device', 'nvme,drive=root,serial=root'],
      ...['-netdev', `user,id=outside,hostfwd=tcp:${address}:${OUTER_PORT}-:${EXEC_PORT}`],
      ...['-device', 'virtio-net-pci,netdev=outside'],
      ...this.#linkFlags(),
      ...(this.#options.disks ?? []).flatMap((disk) => this.#diskFlags(disk)),
      ...binds.flatMap(({ file, name }) => [
        ...['-drive', `file=${file},format=raw,if=none,readonly=on,id=${name}`],
        ...['-device', `virtio-blk-pci,drive=${name},serial=${name}`],
      ]),
    ]);
    this.#running = boot;
    await boot.untilBooted(options.timeoutMs ?? 600_000);
    const disks = [...(this.#options.disks ?? []), ...binds].map(({ name }) => `${BY_ID}${name}`);
    // udev gives them their names whenever it comes to it.
    if (disks.length > 0) await boot.script(`udevadm wait --timeout=600 ${disks.join(' ')}`);
    for (const { name, destination } of binds) {
      await boot.script(
        `mkdir -p ${destination} && mount -t erofs -o ro ${BY_ID}${name} ${destination}`,
      );
    }
    return boot;
  }

  disk(name: string): string {
    return join(this.#directory, `${name}.img`);
  }

  diskLog(name: string): string {
    return join(this.#directory, `${name}.log`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #packBind(bind: string, index: number): Promise<PackedBind> {
    const [source = '', destination = ''] = bind.split(':');
    const name = `bind${index}`;
    const file = join(this.#directory, `${name}.erofs`);
    rmSync(file, { force: true });
    await runChecked('mkfs.erofs', ['--quiet', '--all-root', file, source]);
    return { name, file, destination };
  }

  #linkFlags(): readonly string[] {
    const { link } = this.#options;
    if (link === undefined) return [];
    const own = join(link.to.directory, `${link.end}`);
    const other = join(link.to.directory, `${3 - link.end}`);
    rmSync(own, { force: true });
    const ends = `local.type=unix,local.path=${own},remote.type=unix,remote.path=${other}`;
    const mac = `52:54:00:09:00:0${link.end}`;
    return [
      ...['-netdev', `dgram,id=link,${ends}`],
      ...['-device', `virtio-net-pci,netdev=link,mac=${mac}`],
    ];
  }

  #diskFlags({ name, logWrites }: VmDisk): readonly string[] {
    const file = `driver=file,filename=${this.disk(name)},node-name=${name}-file`;
    const device = ['-device', `virtio-blk-pci,drive=${name},serial=${name}`];
    if (logWrites !== true)
      return [
        '-blockdev',
        file,
        '-blockdev',
        `driver=raw,file=${name}-file,node-name=${name}`,
        ...device,
      ];
    const log = `driver=file,filename=${this.diskLog(name)},node-name=${name}-log`;
    const both = `driver=blklogwrites,file=${name}-file,log=${name}-log,node-name=${name}`;
    return ['-blockdev', file, '-blockdev', log, '-blockdev', both, ...device];
  }
}

interface PackedBind {
  readonly name: string;
  readonly file: string;
  readonly destination: string;
}

const BY_ID = '/dev/disk/by-id/virtio-';
const LOG_SIZE = 8 * 1024 ** 3;
const OUTER_PORT = 7007;

let machines = 0;

/** An address of loopback that no other machine of ours has: ports would have to be looked for. */
function freeAddress(): string {
  machines += 1;
  return `127.${(process.pid >> 8) & 255}.${process.pid & 255}.${2 + (machines % 250)}`;
}

function machineFlags({ memoryMb, link }: VmOptions, kernel: string): readonly string[] {
  const accel = process.env['SYSCT_TEST_ACCEL'] ?? 'tcg';
  const [cpu, processors] = accel === 'tcg' ? [TCG_CPU, TCG_PROCESSORS] : ['max', '2'];
  const words = [
    ...['console=ttyS0', 'root=/dev/nvme0n1', 'rw', 'rootwait', 'panic=-1', 'net.ifnames=0'],
    ...['mitigations=off', 'random.trust_cpu=on', 'quiet', 'systemd.show_status=0'],
    ...(link === undefined ? [] : [`vm.lan=10.9.0.${link.end}/24`]),
  ];
  return [
    ...['-accel', accel, '-cpu', cpu, '-smp', processors, '-m', `${memoryMb ?? 1024}`],
    ...['-nodefaults', '-display', 'none'],
    ...['-serial', 'stdio', '-no-reboot', '-device', 'virtio-rng-pci'],
    ...['-kernel', kernel, '-append', words.join(' ')],
  ];
}

// Without AVX: programs that find it use it, and it is slow when interpreted.
const TCG_CPU = 'Nehalem,+rdrand';
// When a kernel patches its own code while another processor of qemu 7.2 runs it, that one meets the breakpoint
// too late for the kernel to know it, and the kernel panics: once in some dozens of boots.
const TCG_PROCESSORS = '1';

class QemuBoot implements RunningHost {
  systemState = 'starting';
  readonly #address: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #output: string[] = [];
  readonly #killAtExit: () => void;

  constructor(address: string, flags: readonly string[]) {
    this.#address = address;
    this.#child = spawn('qemu-system-x86_64', flags, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit');
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#output.push(chunk.toString('utf8')));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#output.push(chunk.toString('utf8')));
    this.#killAtExit = () => {
      this.#child.kill('SIGKILL');
    };
    process.once('exit', this.#killAtExit);
  }

  get isOff(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async untilBooted(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline && !this.isOff) {
      const said = new RegExp(`${READY_MARK}(\\w+)`).exec(this.console())?.[1];
      if (said !== undefined) {
        this.systemState = said;
        return;
      }
      await delay(100);
    }
    const console = this.console();
    await this.kill();
    throw new Error(`the machine did not boot in ${timeoutMs} ms:\n${console.slice(-4000)}`);
  }

  async exec(
    command: string,
    args: readonly string[],
    options: ProcessOptions = {},
  ): Promise<ProcessResult> {
    if (this.isOff) throw this.#offError();
    const address = { host: this.#address, port: OUTER_PORT };
    try {
      return await execOverTcp(address, [command, ...args], options);
    } catch (cause) {
      // A guest that panics ends its connections a moment before qemu has ended.
      await Promise.race([this.#exited, delay(1000)]);
      throw this.isOff ? this.#offError({ cause }) : cause;
    }
  }

  async script(text: string, options: ProcessOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.exec('sh', ['-euc', text], options);
    if (exitCode === 0) return stdout.toString('utf8');
    throw new Error(`script exited with ${exitCode}:\n${stdout.toString('utf8')}\n${stderr}`);
  }

  console(): string {
    return this.#output.join('');
  }

  #offError(options?: ErrorOptions): Error {
    const { exitCode, signalCode } = this.#child;
    const end = `qemu ended with ${exitCode ?? signalCode}`;
    const text = `the machine is off, ${end}:\n${this.console().slice(-4000)}`;
    return new Error(text, options);
  }

  async powerOff(): Promise<void> {
    if (this.isOff) return;
    await this.exec('systemctl', ['poweroff', '--no-block']);
    const inTime = await Promise.race([
      this.#exited.then(() => true),
      delay(300_000, false, { ref: false }),
    ]);
    const console = this.console();
    await this.kill();
    if (!inTime) throw new Error(`the machine did not power off:\n${console.slice(-4000)}`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    process.off('exit', this.#killAtExit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
