// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { printable, quote } from '../base/printable.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import type { MountDescription } from '../sys/mount.ts';
import { printUnit } from '../systemd/unit-file.ts';
import { quoteUnitWord } from '../systemd/unit-quote.ts';
import { AdaptationLog } from './adaptation-log.ts';
import { adaptRuntimeConfig } from './adapt-runtime-config.ts';
import { completeChrootService, directoriesOfUnit } from './chroot-service.ts';
import { defaultService } from './default-service.ts';
import { UnitDraft } from './edit-unit.ts';
import { execValues, type LaunchWith } from './exec-values.ts';
import { hostCommands } from './host-commands.ts';
import type { HostFacts } from './host-facts.ts';
import { LaunchError } from './launch-error.ts';
import { type KindOfBind, type MountPoint, mountPointsOf } from './mount-points.ts';
import {
  type AdditionalLayer,
  additionalStoreDropIn,
  mountUnits,
  type NamedUnit,
} from './mount-units.ts';
import { printRuntimeConfig } from './parse-runtime-config.ts';
import { isBind, type Privileges, privilegesOf } from './privileges.ts';
import { completeRuncService, runcConfig } from './runc-service.ts';
import { serviceFromTemplate, type TemplateService } from './service-from-template.ts';
import { completeOrder, type FinishedOrder, type LaunchOrder } from './start-order.ts';

/** Everything that decides how one generation of a container is launched. */
export interface LaunchRequest {
  /** The container's name; its service is `NAME.service`. */
  readonly name: string;
  readonly how: LaunchWith;
  /** As the image gives it, parsed; or made by `runtimeConfigFromImage`. */
  readonly config: RuntimeConfig;
  /** The image's own unit, rendered; undefined when it ships none. */
  readonly serviceText: string | undefined;
  /** `KillSignal=` where the unit does not say: the image's StopSignal. */
  readonly stopSignal: string | undefined;
  /** The generation's directory on the host, which will hold config.json. */
  readonly bundle: string;
  /** Where the root is while the service runs: the last mount's `where`, or the plain tree. */
  readonly rootfs: string;
  /** The mounts that make the root, in order; empty for a plain tree. */
  readonly mounts: readonly MountDescription[];
  /** Where some of the root's objects are only in an additional store. */
  readonly additional?: AdditionalLayer | undefined;
  /** The store's directory, `/var/lib/sysct`. */
  readonly store: string;
  readonly facts: HostFacts;
  readonly order: LaunchOrder;
  readonly provenance: Provenance;
  /** What a bind's source, or its place in the image, is; without it a list of usual files decides. */
  readonly kindOf?: KindOfBind;
}

/** What the unit's [X-Sysct] section says. */
export interface Provenance {
  readonly image: string;
  readonly digest: string;
  readonly generation: number;
  /** One line: the policy rule that admitted it. */
  readonly policy: string;
}

export interface LaunchPlan {
  /** The service first, then its mounts, in the order they are needed. */
  readonly units: readonly NamedUnit[];
  /** Named from the directory of units: `UNIT.d/NAME.conf`. */
  readonly dropIns: readonly NamedUnit[];
  /** The text of BUNDLE/config.json; undefined for chroot. */
  readonly configText: string | undefined;
  /** What must exist in the root: give it to the EROFS writer. */
  readonly mountPoints: readonly MountPoint[];
  /** Host paths that the container binds, for tmpfiles of those that are missing. */
  readonly bindSources: readonly BindSource[];
  /** As the finished unit has it: for the cycle check and for the record. */
  readonly order: FinishedOrder;
  /** What the container runs, for `list`. */
  readonly command: readonly string[];
  readonly privileges: Privileges;
  /** What was changed to make it run here, one line each. */
  readonly notes: readonly string[];
}

export interface BindSource {
  readonly path: string;
  /** Who the container runs as: the owner a missing source should get. */
  readonly uid: number;
  readonly gid: number;
}

/**
 * Turns an image's config and unit into the files that launch it on this host. Pure.
 *
 * @throws LaunchError UNSUPPORTED_BY_LAUNCHER (naming everything), INVALID_SERVICE, NAME_UNUSABLE, NO_COMMAND
 */
export function planLaunch(request: LaunchRequest): LaunchPlan {
  const { name, how, facts, rootfs, order } = request;
  const log = new AdaptationLog();
  const unit = `${name}.service`;
  const { draft, kind } = startDraft(request, log);
  const { config, limits } = adaptRuntimeConfig(request.config, { facts, rootfs }, log);
  let final = config;
  let directories: readonly string[] = [];
  if (how.launcher === 'runc') {
    const service = { name, unit, runtime: how.runtime, bundle: request.bundle };
    if (kind === 'container') completeRuncService(draft, service, log);
    final = runcConfig(config, draft, service);
  } else if (kind === 'container') {
    completeChrootService(draft, config, facts, log);
    directories = directoriesOfUnit(draft, unit);
  }
  refuseIfAny(request, log);
  for (const { key, value } of limits) draft.set('Service', key, value);
  const finished = completeOrder(draft, unit, order);
  completeUnit(draft, request);
  return {
    units: [
      { name: unit, text: printUnit(draft.file) },
      ...mountUnits(name, request.mounts, [request.store]),
    ],
    dropIns:
      request.additional === undefined ? [] : [additionalStoreDropIn(rootfs, request.additional)],
    configText: how.launcher === 'runc' ? printRuntimeConfig(final) : undefined,
    mountPoints: mountPointsOf(final, directories, request.kindOf ?? (() => undefined)),
    bindSources: bindSourcesOf(config),
    order: finished,
    command: config.process?.args ?? [],
    privileges: privilegesOf(
      config,
      hostCommands(draft, {
        name,
        how,
        kind,
        execStart: execValues(name, request.config, how).EXEC_START,
      }),
    ),
    notes: log.notes,
  };
}

function startDraft(request: LaunchRequest, log: AdaptationLog): TemplateService {
  const { name, config, how, serviceText, provenance } = request;
  const { EXEC_START: execStart } = execValues(name, config, how);
  if (serviceText !== undefined) {
    return serviceFromTemplate(serviceText, 'service.template', execStart, log);
  }
  const file = defaultService(name, printable(provenance.image), execStart);
  return { draft: new UnitDraft(file), kind: 'container' };
}

function completeUnit(draft: UnitDraft, request: LaunchRequest): void {
  const { name, rootfs, stopSignal, provenance } = request;
  draft.add('Unit', 'RequiresMountsFor', quoteUnitWord(rootfs));
  draft.setDefault('Service', 'SyslogIdentifier', name);
  if (stopSignal !== undefined && isSignal(stopSignal)) {
    draft.setDefault('Service', 'KillSignal', stopSignal);
  }
  draft.replaceSection('X-Sysct', [
    { key: 'Image', value: line(provenance.image) },
    { key: 'Digest', value: provenance.digest },
    { key: 'Generation', value: String(provenance.generation) },
    { key: 'Policy', value: line(provenance.policy) },
  ]);
}

// image-spec v1.1.1 config.md: `SIGNAME`, or a number; systemd reads both, and the real-time ones.
function isSignal(text: string): boolean {
  if (/^\d{1,2}$/.test(text)) return Number(text) >= 1 && Number(text) <= LAST_SIGNAL;
  return (
    Object.hasOwn(constants.signals, text) ||
    /^SIGRTM(?:IN(?:\+\d{1,2})?|AX(?:-\d{1,2})?)$/.test(text)
  );
}

const LAST_SIGNAL = 64;

function line(text: string): string {
  return printable(text).trim().replace(/\\+$/, '');
}

// The kernel's, and systemd's own: they are there, or cannot be made.
const GIVEN = /^\/(?:dev|proc|sys|run\/systemd|run\/credentials)(?:\/|$)/;

function bindSourcesOf({ mounts = [], process }: RuntimeConfig): readonly BindSource[] {
  const { uid, gid } = process?.user ?? { uid: 0, gid: 0 };
  const paths = mounts.filter(isBind).map(({ source = '' }) => source);
  return [...new Set(paths)]
    .filter((path) => path !== '/' && !GIVEN.test(path))
    .map((path) => ({ path, uid, gid }));
}

function refuseIfAny({ name, how }: LaunchRequest, { refusals }: AdaptationLog): void {
  if (refusals.length === 0) return;
  const by = how.launcher === 'chroot' ? 'in a chroot' : `by ${how.runtime.path}`;
  throw new LaunchError(
    'UNSUPPORTED_BY_LAUNCHER',
    `launching ${quote(name)} ${by}: its config asks for what cannot be had: ${refusals.join('; ')}`,
    {
      hint:
        how.launcher === 'chroot'
          ? 'launch it by runc, or change the config.json of the image'
          : 'change the config.json of the image',
    },
  );
}
