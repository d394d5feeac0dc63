// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import { BusReplyError } from './bus.ts';
import { SystemdError, type SystemdErrorCode } from './systemd-error.ts';

const SYSTEMD = 'org.freedesktop.systemd1.';
const DBUS = 'org.freedesktop.DBus.Error.';

// The names are systemd's: bus-common-errors.h, and sd-bus' words for errno.
const CODES: ReadonlyMap<string, SystemdErrorCode> = new Map([
  [`${SYSTEMD}NoSuchUnit`, 'UNIT_NOT_FOUND'],
  [`${SYSTEMD}NoSuchUnitFile`, 'UNIT_NOT_FOUND'],
  [`${DBUS}FileNotFound`, 'UNIT_NOT_FOUND'],
  ['System.Error.ENOENT', 'UNIT_NOT_FOUND'],
  [`${SYSTEMD}UnitMasked`, 'UNIT_MASKED'],
  [`${SYSTEMD}LoadFailed`, 'UNIT_INVALID'],
  [`${SYSTEMD}BadUnitSetting`, 'UNIT_INVALID'],
  [`${SYSTEMD}UnitLinked`, 'UNIT_INVALID'],
  [`${DBUS}InvalidArgs`, 'UNIT_INVALID'],
  [`${SYSTEMD}TransactionOrderIsCyclic`, 'UNIT_INVALID'],
  [`${SYSTEMD}UnitExists`, 'ENABLE_CONFLICT'],
  [`${DBUS}FileExists`, 'ENABLE_CONFLICT'],
  ['System.Error.EEXIST', 'ENABLE_CONFLICT'],
  [`${DBUS}AccessDenied`, 'REFUSED'],
  [`${DBUS}InteractiveAuthorizationRequired`, 'REFUSED'],
  [`${SYSTEMD}OnlyByDependency`, 'REFUSED'],
  [`${SYSTEMD}TransactionIsDestructive`, 'REFUSED'],
  [`${SYSTEMD}TransactionJobsConflicting`, 'REFUSED'],
  [`${SYSTEMD}ShuttingDown`, 'REFUSED'],
  [`${DBUS}ServiceUnknown`, 'NO_BUS'],
  [`${DBUS}NameHasNoOwner`, 'NO_BUS'],
]);

/** True when systemd answered with `org.freedesktop.systemd1.NAME`. */
export function isReply(error: unknown, name: string): boolean {
  return error instanceof BusReplyError && error.errorName === `${SYSTEMD}${name}`;
}

/**
 * Turns an error answer into ours; anything else stays as it is.
 * @param doing what was asked: `starting etcd.service`.
 */
export function toSystemdError(error: unknown, doing: string): unknown {
  if (!(error instanceof BusReplyError)) return error;
  const code = CODES.get(error.errorName) ?? 'BUS_FAILED';
  const said = error.message === '' ? error.errorName : error.message.replace(/\.$/, '');
  const hint = HINTS[code];
  return new SystemdError(code, `${doing}: systemd says ${quote(said)}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

const HINTS: Partial<Record<SystemdErrorCode, string>> = {
  NO_BUS: 'systemd has to be running as PID 1; for a root that is not booted, give --root DIR',
  UNIT_MASKED: 'unmask it: systemctl unmask UNIT',
  REFUSED: 'run it as root, or look at what the unit allows: systemctl cat UNIT',
};
