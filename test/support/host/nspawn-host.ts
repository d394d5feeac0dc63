// SPDX-License-Identifier: Apache-2.0
// A Debian host that really boots: systemd as PID 1 in systemd-nspawn, cgroup v2, D-Bus, loop devices,
// EROFS, overlay and runc, in about a second. It stands for the users' machines in the tests.
//
//   /dev/shm/sysct-host-…/image    an ext4 image, copied from the cache
//   /dev/shm/sysct-host-…/root     where it is mounted: `host.root`, also while the host is off
//
// The machine under the tests may have no systemd at all, so nspawn is told to register nothing and to
// stay in the control group that we make for it; each host has its own, so any number run at once.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../../../src/base/sysct-error.ts';
import {
  runChecked,
  runProcess,
  type ProcessOptions,
  type ProcessResult,
} from '../../../src/sys/process.ts';
import { debianRootImage, type DebianRelease } from './debian-root.ts';
import { unmount } from '../disk/unmount.ts';

/** Enough for system containers beside a container daemon. Most tests want just these: one cached root. */
export const HOST_PACKAGES: readonly string[] = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'runc',
  'containerd',
  'util-linux',
];

export interface HostOptions {
  /** Default `bookworm`. */
  readonly release?: DebianRelease;
  /** Instead of {@link HOST_PACKAGES}. */
  readonly packages?: readonly string[];
}

export interface BootOptions {
  /** `none` (default): only an own loopback. `host`: this machine's, so that its loopback registry is there. */
  readonly network?: 'none' | 'host';
  /** `SOURCE:DESTINATION`, as nspawn's `--bind-ro=`. */
  readonly bindReadOnly?: readonly string[];
  /** More arguments for systemd-nspawn. */
  readonly extraArgs?: readonly string[];
  /** For the boot, until systemd says that it is done. Default 5 minutes: it takes a second, where nothing hangs. */
  readonly timeoutMs?: number;
}

export interface ScriptResult extends ProcessResult {
  /** What systemd said of the boot: `running`, or `degraded` when a unit failed. */
  readonly systemState: string;
}

export interface RunningHost extends AsyncDisposable {
  /** `running`, `degraded`, …: systemctl is-system-running when the boot was done. */
  readonly systemState: string;
  /** Runs a command in a transient unit of the host; any exit status is a result. */
  exec(command: string, args: readonly string[], options?: ProcessOptions): Promise<ProcessResult>;
  /** As {@link exec}, for `sh -euc SCRIPT`; a status other than 0 is an error that holds all it printed. */
  script(text: string, options?: ProcessOptions): Promise<string>;
  /** What the console has shown. */
  console(): string;
  /** Orderly, as an admin would; waits until the host is off. */
  powerOff(): Promise<void>;
  /** Pulls the plug: every process of the host is killed at once. */
  kill(): Promise<void>;
}

export interface Host extends AsyncDisposable {
  /** The host's root directory as this machine sees it. Change it freely while the host is off. */
  readonly root: string;
  /** Boots it and waits until systemd has finished with the default target. */
  start(options?: BootOptions): Promise<RunningHost>;
  /** Boots it, runs a script in a transient unit, powers it off. Any exit status is a result. */
  boot(options: BootOptions & { readonly script: string }): Promise<ScriptResult>;
}

/** A fresh host, switched off. The first one with a package list takes about a minute, later ones a second. */
export async function createHost(options: HostOptions = {}): Promise<Host> {
  const image = await debianRootImage({
    release: options.release ?? 'bookworm',
    packages: options.packages ?? HOST_PACKAGES,
  });
  await ensureLoopDevices();
  await sweepHosts();
  const directory = mkdtempSync(join(HOSTS, `${HOST_PREFIX}${process.pid}-`));
  const root = join(directory, 'root');
  mkdirSync(root);
  await runChecked('cp', ['--sparse=always', image, join(directory, 'image')]);
  await runChecked('mount', ['-o', 'loop', join(directory, 'image'), root]);
  // Debian backs up and updates package lists at some moment of the day, and so changes files that a test compares.
  rmSync(join(root, 'etc/systemd/system/timers.target.wants'), { recursive: true, force: true });
  return new NspawnHost(root);
}

const HOSTS = '/dev/shm';
const HOST_PREFIX = 'sysct-host-';

/** Removes the hosts of test processes that were killed before they could do it. */
async function sweepHosts(): Promise<void> {
  for (const name of readdirSync(HOSTS).filter((entry) => entry.startsWith(HOST_PREFIX))) {
    const owner = /^sysct-host-(?<pid>\d+)-/.exec(name)?.groups?.['pid'];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    const root = join(HOSTS, name, 'root');
    const [unified] = controlGroups(name);
    if (unified !== undefined) await killControlGroup(unified);
    // Not there any more when another process sweeps at the same time.
    await runProcess('umount', ['--recursive', '--lazy', root]);
    for (const group of controlGroups(name)) removeControlGroup(group);
    rmSync(join(HOSTS, name), { recursive: true, force: true });
  }
}

class NspawnHost implements Host {
  readonly root: string;
  #running: NspawnBoot | undefined;

  constructor(root: string) {
    this.root = root;
  }

  async start(options: BootOptions = {}): Promise<RunningHost> {
    if (this.#running?.isOff === false) throw new Error(`${this.root} is booted already`);
    writeFileSync(join(this.root, 'etc/machine-id'), '');
    const boot = new NspawnBoot(this.root, options);
    this.#running = boot;
    await boot.untilBooted(options.timeoutMs ?? 300_000);
    return boot;
  }

  async boot(options: BootOptions & { readonly script: string }): Promise<ScriptResult> {
    const running = await this.start(options);
    try {
      const result = await running.exec('sh', ['-euc', options.script]);
      return { ...result, systemState: running.systemState };
    } finally {
      await running.powerOff();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.kill();
    await unmount(this.root);
    rmSync(dirname(this.root), { recursive: true, force: true });
  }
}

const LOOP_DEVICES = 64;
const LOOP_MAJOR = '7';

class NspawnBoot implements RunningHost {
  systemState = 'starting';
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #output: string[] = [];
  readonly #killAtExit: () => void;
  #leader: number | undefined;

  constructor(root: string, options: BootOptions) {
    this.#name = basename(dirname(root));
    const groups = controlGroups(this.#name);
    for (const group of groups) mkdirSync(group, { recursive: true });
    // The shell enters the host's control groups before it becomes nspawn.
    const enter = groups.map((group) => `echo $$ > ${group}/cgroup.procs`).join(' && ');
    this.#child = spawn(
      'sh',
      ['-euc', `${enter} && exec "$@"`, 'sh', 'systemd-nspawn', ...nspawnFlags(root, options)],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
      },
    );
    this.#exited = once(this.#child, 'exit');
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#output.push(chunk.toString('utf8')));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#output.push(chunk.toString('utf8')));
    this.#killAtExit = () => {
      this.#killNow();
    };
    process.once('exit', this.#killAtExit);
  }

  get isOff(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async untilBooted(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    let seen = '';
    while (Date.now() < deadline && !this.isOff) {
      // systemd answers only once it listens; `--wait` then lasts until the boot is done.
      const result = await this.#enter(['systemctl', 'is-system-running', '--wait'], {
        timeoutMs: Math.max(1, deadline - Date.now()),
      });
      seen = result?.stdout.toString('utf8').trim() ?? '';
      if (seen === 'running' || seen === 'degraded' || seen === 'maintenance') {
        this.systemState = seen;
        return;
      }
      await delay(30);
    }
    const console = this.console();
    await this.kill();
    throw new Error(`the host did not boot in ${timeoutMs} ms (${seen}):\n${console.slice(-4000)}`);
  }

  async exec(
    command: string,
    args: readonly string[],
    options: ProcessOptions = {},
  ): Promise<ProcessResult> {
    const flags = ['--quiet', '--wait', '--pipe', '--collect', '--service-type=exec'];
    const environment = Object.entries(options.env ?? {}).map(([k, v]) => `--setenv=${k}=${v}`);
    const { env: _env, ...rest } = options;
    const line = ['systemd-run', ...flags, ...environment, '--', command, ...args];
    const result = await this.#enter(line, rest);
    if (result === undefined) throw new Error(`the host ${this.#name} is off`);
    return result;
  }

  async script(text: string, options: ProcessOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.exec('sh', ['-euc', text], options);
    if (exitCode === 0) return stdout.toString('utf8');
    throw new Error(`script exited with ${exitCode}:\n${stdout.toString('utf8')}\n${stderr}`);
  }

  console(): string {
    return this.#output.join('');
  }

  async powerOff(): Promise<void> {
    if (this.isOff) return;
    await this.#enter(['systemctl', 'poweroff'], {});
    const inTime = await Promise.race([
      this.#exited.then(() => true),
      delay(300_000, false, { ref: false }),
    ]);
    const console = this.console();
    await this.kill();
    if (!inTime) throw new Error(`the host did not power off:\n${console.slice(-4000)}`);
  }

  async kill(): Promise<void> {
    this.#killNow();
    await this.#exited;
    process.off('exit', this.#killAtExit);
    for (const group of controlGroups(this.#name)) removeControlGroup(group);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #killNow(): void {
    if (this.isOff) return;
    // When the leader goes, the kernel kills its whole PID namespace; nspawn then tidies up by itself.
    const leader = this.#findLeader();
    if (leader === undefined) this.#child.kill('SIGKILL');
    else killIfThere(leader);
  }

  async #enter(
    line: readonly string[],
    options: ProcessOptions,
  ): Promise<ProcessResult | undefined> {
    const leader = this.#findLeader();
    if (leader === undefined) return undefined;
    // --root and --wd: where this runs in a chroot itself, the namespace's root is not the host's.
    const namespaces = '--mount --uts --ipc --net --pid --cgroup --root --wd'.split(' ');
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
    return await runProcess('nsenter', [`--target=${leader}`, ...namespaces, '--', ...line], {
      env,
      ...options,
    });
  }

  #findLeader(): number | undefined {
    if (this.#leader !== undefined || this.#child.pid === undefined) return this.#leader;
    const children = `/proc/${this.#child.pid}/task/${this.#child.pid}/children`;
    if (!existsSync(children)) return undefined;
    const leader = Number.parseInt(readFileSync(children, 'utf8'), 10);
    // Until it is PID 1 of its namespace and has become systemd it is still nspawn's own helper.
    if (!Number.isInteger(leader) || !isInit(leader)) return undefined;
    this.#leader = leader;
    return leader;
  }
}

function isInit(pid: number): boolean {
  return /^systemd$/m.test(readIfThere(`/proc/${pid}/comm`));
}

function nspawnFlags(root: string, options: BootOptions): readonly string[] {
  return [
    ...['--directory', root, '--machine', basename(dirname(root)), '--boot'],
    ...['--register=no', '--keep-unit', '--console=read-only', '--link-journal=no'],
    ...['--capability=all', '--system-call-filter=@known'],
    ...(options.network === 'host' ? [] : ['--private-network']),
    ...['/dev/loop-control', ...loopDevices()].map((device) => `--bind=${device}`),
    ...(options.bindReadOnly ?? []).map((bind) => `--bind-ro=${bind}`),
    ...(options.extraArgs ?? []),
  ];
}

// The kernel hands out any free loop device, whichever host asks, so each host sees many of them.
function loopDevices(): readonly string[] {
  return Array.from({ length: LOOP_DEVICES }, (_, number) => `/dev/loop${number}`);
}

async function ensureLoopDevices(): Promise<void> {
  const missing = loopDevices().filter((device) => !existsSync(device));
  for (const device of missing) {
    const minor = device.slice('/dev/loop'.length);
    const args = ['-m', '660', device, 'b', LOOP_MAJOR, minor];
    const { exitCode, stderr } = await runProcess('mknod', args);
    // Another test may have made it in the meantime.
    if (exitCode !== 0 && !existsSync(device)) throw new Error(`mknod ${device}: ${stderr}`);
  }
}

// One in the unified hierarchy and, where version 1 is mounted too, one in systemd's own.
function controlGroups(name: string): readonly string[] {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return [`/sys/fs/cgroup/${name}`];
  return ['/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd']
    .filter((directory) => existsSync(directory))
    .map((directory) => join(directory, name));
}

async function killControlGroup(unified: string): Promise<void> {
  if (!existsSync(unified)) return;
  writeFileSync(join(unified, 'cgroup.kill'), '1');
  while (/^populated 1$/m.test(readIfThere(join(unified, 'cgroup.events')))) {
    await delay(20);
  }
}

function removeControlGroup(group: string): void {
  const below = globSync('**/', { cwd: group }).toSorted((a, b) => b.length - a.length);
  for (const directory of [...below.map((path) => join(group, path)), group]) {
    try {
      rmdirSync(directory);
    } catch (error) {
      // Another process sweeps at the same time.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
}

// It may have ended by itself a moment before nspawn does.
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

// A process may end between being listed and being looked at.
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}
