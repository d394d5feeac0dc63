// SPDX-License-Identifier: Apache-2.0
import { Bus, type BusCall, type BusSocket } from './bus.ts';
import { JobResults } from './job-results.ts';
import type { EnablementChange, JobOptions, SystemdManager, UnitState } from './manager.ts';
import { isReply, toSystemdError } from './reply-error.ts';
import { SystemdError } from './systemd-error.ts';
import { type Properties, toUnitState } from './unit-properties.ts';

/** Reading all units again takes seconds on hosts with many; systemctl waits this long too. */
const RELOAD_TIMEOUT_MS = 90_000;

type JobMethod = 'StartUnit' | 'StopUnit' | 'RestartUnit';

const DOING: Readonly<Record<JobMethod, string>> = {
  StartUnit: 'starting',
  StopUnit: 'stopping',
  RestartUnit: 'restarting',
};

/** A running systemd, asked over {@link Bus}. */
export class BusManager implements SystemdManager {
  readonly #bus: Bus;

  private constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** @throws SystemdError NO_BUS, BUS_FAILED, REFUSED, CALL_TIMEOUT */
  static async connect(socket: BusSocket, signal: AbortSignal): Promise<BusManager> {
    const manager = new BusManager(await Bus.connect(socket, signal));
    try {
      await manager.#subscribe(signal);
    } catch (error) {
      manager.#bus.close();
      throw error;
    }
    return manager;
  }

  async reload(signal: AbortSignal): Promise<void> {
    const call = { member: 'Reload', timeoutMs: RELOAD_TIMEOUT_MS };
    await this.#ask('reloading the unit files', call, signal);
  }

  async enable(
    units: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly EnablementChange[]> {
    // Not only for this boot, and not over links of others.
    const body = [units, false, false];
    const call = { member: 'EnableUnitFiles', signature: 'asbb', body };
    const [, changes] = await this.#ask(`enabling ${units.join(' ')}`, call, signal);
    return toChanges(changes);
  }

  async disable(
    units: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly EnablementChange[]> {
    const changes: EnablementChange[] = [];
    // One by one: a unit that is gone already must not keep the others enabled.
    for (const unit of units) {
      const call = { member: 'DisableUnitFiles', signature: 'asb', body: [[unit], false] };
      try {
        const [made] = await this.#ask(`disabling ${unit}`, call, signal);
        changes.push(...toChanges(made));
      } catch (error) {
        if (!isUnknownUnit(error)) throw error;
      }
    }
    return changes;
  }

  async start(unit: string, options: JobOptions): Promise<void> {
    await this.#job('StartUnit', unit, options);
  }

  async stop(unit: string, options: JobOptions): Promise<void> {
    try {
      await this.#job('StopUnit', unit, options);
    } catch (error) {
      if (!isUnknownUnit(error)) throw error;
    }
  }

  async restart(unit: string, options: JobOptions): Promise<void> {
    await this.#job('RestartUnit', unit, options);
  }

  async resetFailed(unit: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#bus.call({ member: 'ResetFailedUnit', signature: 's', body: [unit] }, signal);
    } catch (error) {
      if (!isReply(error, 'NoSuchUnit'))
        throw toSystemdError(error, `resetting the failure of ${unit}`);
    }
  }

  async unitState(unit: string, signal: AbortSignal): Promise<UnitState> {
    const doing = `reading the state of ${unit}`;
    const load = { member: 'LoadUnit', signature: 's', body: [unit] };
    const [path] = await this.#ask(doing, load, signal);
    const properties = await this.#properties(doing, String(path), 'Unit', signal);
    const isService = unit.endsWith('.service') && properties.get('LoadState') === 'loaded';
    const service = isService
      ? await this.#properties(doing, String(path), 'Service', signal)
      : undefined;
    return toUnitState(unit, properties, service);
  }

  async listStates(units: readonly string[], signal: AbortSignal): Promise<readonly UnitState[]> {
    return await Promise.all(units.map((unit) => this.unitState(unit, signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bus.close();
  }

  async #job(method: JobMethod, unit: string, options: JobOptions): Promise<void> {
    const doing = `${DOING[method]} ${unit}`;
    using results = new JobResults(this.#bus);
    const call = { member: method, signature: 'ss', body: [unit, 'replace'] };
    const [job] = await this.#ask(doing, call, options.signal);
    const result = await this.#inTime(results.of(String(job)), doing, unit, options);
    // `skipped` means that there was nothing to do.
    if (result === 'done' || result === 'skipped') return;
    throw new SystemdError('JOB_FAILED', `${doing}: ${await this.#why(unit, result, options)}`, {
      hint: `journalctl -u ${unit}`,
    });
  }

  async #inTime(
    result: Promise<string>,
    doing: string,
    unit: string,
    { timeoutMs, signal }: JobOptions,
  ): Promise<string> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const over = Promise.withResolvers<never>();
    const onTimeout = (): void => {
      over.reject(
        new SystemdError('JOB_TIMEOUT', `${doing}: its job has not ended in ${timeoutMs} ms`, {
          hint: `systemctl status ${unit}`,
        }),
      );
    };
    const onAbort = (): void => {
      over.reject(signal.reason as Error);
    };
    signal.throwIfAborted();
    timeout.addEventListener('abort', onTimeout);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#bus.whileConnected(Promise.race([result, over.promise]));
    } finally {
      timeout.removeEventListener('abort', onTimeout);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #why(unit: string, result: string, { signal }: JobOptions): Promise<string> {
    const words = `its job ended with ${result}`;
    if (result === 'dependency') return `${words}: a unit that it requires did not start`;
    const { service } = await this.unitState(unit, signal);
    if (service === undefined || service.result === 'success') return words;
    const status = service.execMainCode === 0 ? '' : `, status ${service.execMainStatus}`;
    return `${words} (${service.result}${status})`;
  }

  async #properties(
    doing: string,
    path: string,
    kind: 'Unit' | 'Service',
    signal: AbortSignal,
  ): Promise<Properties> {
    const call = {
      path,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'GetAll',
      signature: 's',
      body: [`org.freedesktop.systemd1.${kind}`],
    };
    const [values] = await this.#ask(doing, call, signal);
    const variants = Object.entries(values as Record<string, { readonly value: unknown }>);
    return new Map(variants.map(([name, variant]) => [name, variant.value]));
  }

  // systemd sends JobRemoved over a bus only while somebody has subscribed, and a bus delivers it
  // only to those who have asked; systemd's own socket needs neither.
  async #subscribe(signal: AbortSignal): Promise<void> {
    await this.#ask('connecting', { member: 'Subscribe' }, signal);
    if (this.#bus.socket.kind === 'peer') return;
    const rule =
      "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',member='JobRemoved'";
    const bus = 'org.freedesktop.DBus';
    const match = {
      destination: bus,
      path: '/org/freedesktop/DBus',
      interface: bus,
      member: 'AddMatch',
      signature: 's',
      body: [rule],
    };
    await this.#ask('connecting', match, signal);
  }

  async #ask(doing: string, call: BusCall, signal: AbortSignal): Promise<readonly unknown[]> {
    try {
      return await this.#bus.call(call, signal);
    } catch (error) {
      throw toSystemdError(error, doing);
    }
  }
}

function isUnknownUnit(error: unknown): boolean {
  return error instanceof SystemdError && error.code === 'UNIT_NOT_FOUND';
}

// a(sss): type, file, source
function toChanges(changes: unknown): readonly EnablementChange[] {
  return (changes as readonly (readonly [string, string, string])[])
    .filter(([kind]) => kind === 'symlink' || kind === 'unlink')
    .map(([kind, path, target]) => ({ kind: kind as 'symlink' | 'unlink', path, target }));
}
