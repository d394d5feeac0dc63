// SPDX-License-Identifier: Apache-2.0
// The disk that a virtual machine boots from, and the kernel beside it.
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../../src/sys/process.ts';
import { cached } from '../cache.ts';
import { debianRootImage, type DebianRelease } from './debian-root.ts';

export interface VmRoot {
  /** Raw, ext4 with the verity feature; sparse. Copy it before use. */
  readonly image: string;
  /** Debian's cloud kernel: NVMe and ext4 are built in, so it boots without an initial RAM disk. */
  readonly kernel: string;
}

/** A root that boots; cached. The first one with a package list takes about two minutes. */
export async function vmRoot(release: DebianRelease, packages: readonly string[]): Promise<VmRoot> {
  const recipe = ['vm', 1, release, packages, FILES, MASKED, `${NOT_STARTED}`];
  const directory = await cached(`${release}.vm`, recipe, async (path) => {
    const root = await debianRootImage({ release, packages: [KERNEL_PACKAGE, ...packages] });
    mkdirSync(join(path, 'root'), { recursive: true });
    const image = join(path, 'image');
    await runChecked('cp', ['--sparse=always', root, image]);
    await runChecked('mount', ['-o', 'loop', image, join(path, 'root')]);
    try {
      const [kernel = ''] = globSync(join(path, 'root/boot/vmlinuz-*'));
      copyFileSync(kernel, join(path, 'kernel'));
      customize(join(path, 'root'));
    } finally {
      await runChecked('mount', ['-o', 'remount,ro', join(path, 'root')]);
      await runChecked('umount', [join(path, 'root')]);
    }
    // Last: a kernel without fs-verity mounts such a file system only for reading.
    await runChecked('tune2fs', ['-O', 'verity', image]);
  });
  return { image: join(directory, 'image'), kernel: join(directory, 'kernel') };
}

const KERNEL_PACKAGE = 'linux-image-cloud-amd64';

/** What the guest says on its console when it has booted, followed by the state of systemd. */
export const READY_MARK = 'sysct-vm-ready:';
/** Where the guest takes commands. */
export const EXEC_PORT = 7;

// A command comes as two numbers of bytes, the command itself and its input; it goes with three numbers
// (status, bytes of output, bytes of error output) and the bytes. Each is in a unit of its own.
const EXEC_SCRIPT = `#!/bin/bash
IFS=' ' read -r command_bytes input_bytes || exit 0
dir=$(mktemp -d /run/exec.XXXXXX)
head -c "$command_bytes" > "$dir/command"
head -c "$input_bytes" > "$dir/input"
bash "$dir/command" < "$dir/input" > "$dir/out" 2> "$dir/err"
status=$?
printf '%d %d %d\\n' $status "$(stat -c %s "$dir/out")" "$(stat -c %s "$dir/err")"
cat "$dir/out" "$dir/err"
rm -r "$dir"
`;

const NETWORK_SCRIPT = `#!/bin/sh
set -e
# The driver is loaded by udev, whenever it comes to it.
for n in $(seq 300); do [ -e /sys/class/net/eth0 ] && break; sleep 0.1; done
ip link set eth0 up
ip address add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
for word in $(cat /proc/cmdline); do
  case $word in
    vm.lan=*) ip link set eth1 up && ip address add "\${word#vm.lan=}" dev eth1 ;;
  esac
done
`;

const FILES: Readonly<Record<string, string>> = {
  '/usr/local/sbin/vm-exec': EXEC_SCRIPT,
  '/usr/local/sbin/vm-network': NETWORK_SCRIPT,
  '/etc/systemd/system/vm-exec.socket': `[Unit]
Description=Commands from the machine outside
[Socket]
ListenStream=${EXEC_PORT}
Accept=yes
MaxConnections=64
[Install]
WantedBy=sockets.target
`,
  '/etc/systemd/system/vm-exec@.service': `[Unit]
Description=A command from the machine outside
CollectMode=inactive-or-failed
[Service]
ExecStart=/usr/local/sbin/vm-exec
StandardInput=socket
StandardOutput=socket
StandardError=journal
Environment=HOME=/root
TimeoutStopSec=5
`,
  '/etc/systemd/system/vm-network.service': `[Unit]
Description=Fixed addresses
Before=network.target vm-ready.service
Wants=network.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/vm-network
RemainAfterExit=yes
[Install]
WantedBy=multi-user.target
`,
  '/etc/systemd/system/vm-ready.service': `[Unit]
Description=Say that the boot is done
[Service]
ExecStart=/bin/sh -c 'echo "${READY_MARK}$$(systemctl is-system-running --wait)" $$(systemctl --failed --plain --no-legend) > /dev/ttyS0'
[Install]
WantedBy=multi-user.target
`,
  '/etc/hostname': 'vm\n',
  '/etc/hosts': '127.0.0.1 localhost vm\n10.9.0.1 vm1\n10.9.0.2 vm2\n',
  '/etc/fstab': '',
};

/** Whatever starts at each boot and no test waits for. */
const MASKED: readonly string[] = [
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer'],
  ...[
    'fstrim.timer',
    'systemd-tmpfiles-clean.timer',
    'e2scrub_reap.service',
    'blk-availability.service',
  ],
  ...['getty@tty1.service', 'getty-static.service', 'serial-getty@ttyS0.service'],
  ...['xfs_scrub_all.timer', 'networking.service', 'systemd-networkd.service'],
  ...[
    'systemd-logind.service',
    'systemd-update-utmp.service',
    'systemd-update-utmp-runlevel.service',
    'ldconfig.service',
  ],
];

/** Left to the test that wants it. */
const NOT_STARTED = /^(?:nfs-|rpc|quota)/;

function customize(root: string): void {
  for (const [path, text] of Object.entries(FILES)) {
    rmSync(join(root, path), { force: true });
    writeFileSync(join(root, path), text);
    if (text.startsWith('#!')) chmodSync(join(root, path), 0o755);
  }
  const units = join(root, 'etc/systemd/system');
  for (const link of globSync('*.wants/*', { cwd: units })) {
    if (NOT_STARTED.test(link.split('/')[1] ?? '')) rmSync(join(units, link));
  }
  for (const unit of MASKED) mask(join(units, unit));
  enable(units, 'sockets.target', 'vm-exec.socket');
  enable(units, 'multi-user.target', 'vm-network.service');
  enable(units, 'multi-user.target', 'vm-ready.service');
}

function mask(path: string): void {
  rmSync(path, { force: true });
  symlinkSync('/dev/null', path);
}

function enable(units: string, target: string, unit: string): void {
  const wants = join(units, `${target}.wants`);
  mkdirSync(wants, { recursive: true });
  rmSync(join(wants, unit), { force: true });
  symlinkSync(`../${unit}`, join(wants, unit));
}
