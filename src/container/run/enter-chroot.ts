// SPDX-License-Identifier: Apache-2.0
// What a chrooted service's image says must not decide what runs on the host. nsenter(1) is the host's
// program, executed with root's powers before it is inside: it is not looked for in the PATH of the
// image, and nothing reaches it that would make the host's dynamic loader or C library read files that
// the image chose.
import type { Invocation } from './invocation.ts';
import type { ExecRequest } from './exec-request.ts';

/** The main process of a service in a chroot, and as whom to join it. */
export interface ChrootedProcess {
  readonly mainPid: number;
  readonly uid: number;
  readonly gid: number;
  /** `NAME=VALUE`, as /proc/PID/environ has them. */
  readonly environment: readonly string[];
}

/** Where util-linux puts it, on every distribution with a merged /usr and most others. */
const NSENTER = '/usr/bin/nsenter';

// What ld.so(8) takes out of the environment of setuid programs, glibc's sysdeps/generic/unsecvars.h.
const LOADER =
  /^(?:LD_.*|GCONV_PATH|GETCONF_DIR|GLIBC_TUNABLES|HOSTALIASES|LOCALDOMAIN|LOCPATH|MALLOC_.*|NIS_PATH|NLSPATH|RESOLV_HOST_CONF|RES_OPTIONS|TMPDIR|TZDIR)$/;

/** nsenter(1) into the namespaces and the root of a service, with its environment and the request's. */
export function enterChroot(request: ExecRequest, process: ChrootedProcess): Invocation {
  const args = [
    `--target=${process.mainPid}`,
    '--mount',
    '--root',
    '--ipc',
    '--uts',
    `--wdns=${request.workingDirectory ?? '/'}`,
    `--setuid=${process.uid}`,
    `--setgid=${process.gid}`,
    '--',
    ...request.command,
  ];
  const env = Object.fromEntries(
    [...process.environment, ...request.env].flatMap((setting) => {
      const equals = setting.indexOf('=');
      const name = setting.slice(0, equals);
      return equals < 1 || LOADER.test(name) ? [] : [[name, setting.slice(equals + 1)]];
    }),
  ) as Readonly<Record<string, string>>;
  return { command: NSENTER, args, env, runtimeLog: undefined };
}
