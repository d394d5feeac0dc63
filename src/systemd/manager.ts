// SPDX-License-Identifier: Apache-2.0

/** A symbolic link that enabling made or disabling removed; paths as the host sees them. */
export interface EnablementChange {
  readonly kind: 'symlink' | 'unlink';
  readonly path: string;
  /** Where the link points; empty for `unlink`. */
  readonly target: string;
}

/** What can be done to units with and without a running systemd. Unit names are full: `etcd.service`. */
export interface UnitEnabler {
  /**
   * Makes the links that the units' [Install] sections ask for; links that are there already are not
   * reported. A unit without an [Install] section is left alone.
   * @throws SystemdError UNIT_NOT_FOUND, UNIT_MASKED, ENABLE_CONFLICT, UNIT_INVALID, REFUSED
   */
  enable(units: readonly string[], signal: AbortSignal): Promise<readonly EnablementChange[]>;
  /** Removes every enablement link of the units; units that do not exist are not an error. */
  disable(units: readonly string[], signal: AbortSignal): Promise<readonly EnablementChange[]>;
}

/** The running systemd of the host. Every method throws SystemdError. */
export interface SystemdManager extends UnitEnabler, AsyncDisposable {
  /** Reads all unit files again: after writing and after removing any. */
  reload(signal: AbortSignal): Promise<void>;
  /**
   * Queues the job (mode `replace`) and waits for its end. A unit that is active already is `done`.
   * @throws SystemdError JOB_FAILED, JOB_TIMEOUT, UNIT_NOT_FOUND, UNIT_MASKED, UNIT_INVALID, REFUSED
   */
  start(unit: string, options: JobOptions): Promise<void>;
  /** As {@link start}; a unit that is not loaded or not active is done at once. */
  stop(unit: string, options: JobOptions): Promise<void>;
  /** As {@link start}; starts the unit if it is not active. */
  restart(unit: string, options: JobOptions): Promise<void>;
  /** Forgets that a unit failed. A unit that is not loaded is not an error. */
  resetFailed(unit: string, signal: AbortSignal): Promise<void>;
  /** The state of a unit as it is now. A unit that systemd does not know has `load: 'not-found'`. */
  unitState(unit: string, signal: AbortSignal): Promise<UnitState>;
  /** As {@link unitState} for many, in the order of `units`. */
  listStates(units: readonly string[], signal: AbortSignal): Promise<readonly UnitState[]>;
}

export interface JobOptions {
  /** How long to wait for the end of the job; the job itself goes on when this passes. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What systemd knows of a unit; the words are systemd's own (org.freedesktop.systemd1(5)). */
export interface UnitState {
  readonly unit: string;
  /** `loaded`, `not-found`, `bad-setting`, `error`, `masked`. */
  readonly load: string;
  /** `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`. */
  readonly active: string;
  /** `running`, `exited`, `dead`, `mounted`, … */
  readonly sub: string;
  /** `enabled`, `disabled`, `static`, `masked`, …; empty when there is no unit file. */
  readonly unitFileState: string;
  readonly description: string;
  /** RFC 3339; undefined when it has never been active since boot. */
  readonly activeSince: string | undefined;
  /** Drop-ins and the like have changed since systemd read the unit. */
  readonly needsReload: boolean;
  /** Only services that are loaded. */
  readonly service: ServiceState | undefined;
}

export interface ServiceState {
  /** Undefined when there is no main process. */
  readonly mainPid: number | undefined;
  /** `success`, `exit-code`, `signal`, `timeout`, `start-limit-hit`, … */
  readonly result: string;
  /** Exit status or signal number of the last main process, as `code` says. */
  readonly execMainStatus: number;
  /** CLD_EXITED 1, CLD_KILLED 2, CLD_DUMPED 3; 0 when none has ended. */
  readonly execMainCode: number;
  readonly restarts: number;
  /** Of all processes of the unit; undefined when it is not accounted for. */
  readonly memoryBytes: number | undefined;
  readonly statusText: string;
}
