// SPDX-License-Identifier: Apache-2.0
import type { RuntimeConfig, RuntimeMount } from '../oci/runtime-config.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import { cgroupsPathFor } from './control-group.ts';
import type { UnitDraft } from './edit-unit.ts';
import { runtimeLine } from './exec-values.ts';
import type { OciRuntime } from './oci-runtime.ts';
import { watchdogMicroseconds } from './watchdog.ts';

// A service whose main process is `RUNTIME run NAME` in the foreground, with the bundle as its working
// directory, so that no path of ours stands in an Exec line:
//
//   NAME.service             the runtime; systemd sends it KillSignal=, and it hands it on
//     container              the container's own processes, until SIGKILL only reached through the runtime
//
// KillMode=mixed makes that so: TERM to the runtime alone, then, at the latest after TimeoutStopSec=,
// KILL to everything in the unit. What the runtime then leaves in its state directory (a record of a
// container that is gone) is deleted after the stop and, once more, before the next start.

/** Where systemd takes sd_notify(3) messages; what it puts into NOTIFY_SOCKET. */
const NOTIFY_SOCKET = '/run/systemd/notify';

// What systemd takes for a clean end when a process dies of a signal, in the words of a runtime that
// saw it: 128 + SIGHUP, SIGINT, SIGPIPE, SIGTERM.
const CLEAN_STATUSES = '129 130 141 143';

export interface RuncService {
  readonly name: string;
  /** Full name of the unit. */
  readonly unit: string;
  readonly runtime: OciRuntime;
  /** Directory of config.json. */
  readonly bundle: string;
}

/** Makes the unit run the container, whatever its template left out. Pure but for `draft` and `log`. */
export function completeRuncService(
  draft: UnitDraft,
  service: RuncService,
  log: AdaptationLog,
): void {
  const { bundle, runtime, name } = service;
  const directory = draft.last('Service', 'WorkingDirectory');
  if (directory !== undefined && directory !== bundle) {
    log.note(
      `WorkingDirectory=${directory} is ${bundle} here: the runtime finds config.json there`,
    );
  }
  draft.set('Service', 'WorkingDirectory', bundle);
  settleType(draft, log);
  const remove = `-${runtimeLine(runtime, ['delete', '--force'], name)}`;
  draft.prepend('Service', 'ExecStartPre', remove);
  draft.add('Service', 'ExecStopPost', remove);
  draft.set('Service', 'Delegate', 'yes');
  settleKillMode(draft, log);
  draft.add('Service', 'SuccessExitStatus', CLEAN_STATUSES);
  if (notifies(draft)) {
    draft.set('Service', 'NotifyAccess', 'all');
    // Else the runtime would put itself between: it hands on READY only, and waits for it for ever.
    draft.add('Service', 'UnsetEnvironment', 'NOTIFY_SOCKET');
  }
}

/** The config that goes with the unit: its control group, its sd_notify(3) socket, its credentials. Pure. */
export function runcConfig(
  config: RuntimeConfig,
  draft: UnitDraft,
  { unit, runtime }: RuncService,
): RuntimeConfig {
  const variables: (readonly [string, string])[] = [];
  const mounts: RuntimeMount[] = [];
  if (notifies(draft)) {
    variables.push(['NOTIFY_SOCKET', NOTIFY_SOCKET]);
    mounts.push(bind(NOTIFY_SOCKET, 'rw'));
    const watchdog = watchdogMicroseconds(draft.last('Service', 'WatchdogSec'));
    if (watchdog !== undefined) variables.push(['WATCHDOG_USEC', watchdog]);
  }
  if (CREDENTIALS.some((key) => draft.has('Service', key))) {
    const directory = `/run/credentials/${unit}`;
    variables.push(['CREDENTIALS_DIRECTORY', directory]);
    mounts.push(bind(directory, 'ro'));
  }
  return {
    ...config,
    process: { ...config.process, env: withVariables(config.process?.env ?? [], variables) },
    mounts: [...(config.mounts ?? []), ...mounts],
    linux: {
      ...config.linux,
      cgroupsPath: cgroupsPathFor(unit, runtime.kind, draft.last('Service', 'Slice')),
    },
  };
}

const CREDENTIALS = [
  'LoadCredential',
  'LoadCredentialEncrypted',
  'SetCredential',
  'SetCredentialEncrypted',
  'ImportCredential',
];

/** Does the service tell systemd of itself? */
function notifies(draft: UnitDraft): boolean {
  const type = draft.last('Service', 'Type');
  const access = draft.last('Service', 'NotifyAccess');
  return (
    type === 'notify' ||
    type === 'notify-reload' ||
    (access !== undefined && access !== 'none') ||
    draft.has('Service', 'WatchdogSec')
  );
}

// The runtime stays in the foreground, and writes no PID file.
function settleType(draft: UnitDraft, log: AdaptationLog): void {
  const type = draft.last('Service', 'Type');
  if (type === 'forking' || draft.has('Service', 'PIDFile')) {
    log.note('the runtime stays in the foreground: no Type=forking and PIDFile= in the unit');
    draft.remove('Service', 'PIDFile');
  }
  if (type === undefined || type === 'simple' || type === 'forking') {
    draft.set('Service', 'Type', 'exec');
  }
}

function settleKillMode(draft: UnitDraft, log: AdaptationLog): void {
  const mode = draft.last('Service', 'KillMode');
  if (mode === 'control-group') return;
  if (mode !== undefined && mode !== 'mixed') {
    log.note(`KillMode=${mode} would leave processes behind: it is mixed here`);
  }
  draft.set('Service', 'KillMode', 'mixed');
}

function bind(path: string, access: 'ro' | 'rw'): RuntimeMount {
  return { destination: path, type: 'bind', source: path, options: ['bind', 'private', access] };
}

function withVariables(
  env: readonly string[],
  variables: readonly (readonly [string, string])[],
): string[] {
  const names = new Set(variables.map(([name]) => name));
  const others = env.filter((setting) => !names.has(setting.slice(0, setting.indexOf('='))));
  return [...others, ...variables.map(([name, value]) => `${name}=${value}`)];
}
