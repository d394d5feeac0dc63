// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type * as DBus from 'dbus-next';
import type { Message, MessageBus } from 'dbus-next';
import { printable } from '../base/printable.ts';
import { messageOf } from '../base/sysct-error.ts';
import { SystemdError } from './systemd-error.ts';

// The one place that knows dbus-next. Of that library only connecting, marshalling and `call` are
// used: its proxy objects never settle when the socket is missing, and its match rules leak.

/** Where systemd listens. */
export interface BusSocket {
  readonly path: string;
  /**
   * `bus`: a message bus stands between. `peer`: systemd itself is at the other end
   * (/run/systemd/private), so there is no Hello, no destination to name, and signals come unasked.
   */
  readonly kind: 'bus' | 'peer';
}

export interface BusCall {
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
  readonly path?: string;
  readonly interface?: string;
  readonly destination?: string;
  readonly timeoutMs?: number;
}

export interface BusSignal {
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

/** The other side answered a call with an error. */
export class BusReplyError extends Error {
  /** `org.freedesktop.systemd1.NoSuchUnit`, … */
  readonly errorName: string;

  constructor(errorName: string, text: string) {
    super(text);
    this.name = 'BusReplyError';
    this.errorName = errorName;
  }
}

const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER_PATH = '/org/freedesktop/systemd1';
const MANAGER_INTERFACE = 'org.freedesktop.systemd1.Manager';

const CONNECT_TIMEOUT_MS = 10_000;
const AWAKEN_INTERVAL_MS = 100;
/** What libdbus and sd-bus wait by default. */
const CALL_TIMEOUT_MS = 25_000;

/** A connection to systemd. Calls may overlap; the first failure of the connection fails all of them. */
export class Bus {
  readonly socket: BusSocket;
  readonly #dbus: typeof DBus;
  readonly #bus: MessageBus;
  readonly #listeners = new Set<(signal: BusSignal) => void>();
  readonly #broken = Promise.withResolvers<never>();

  private constructor(dbus: typeof DBus, bus: MessageBus, socket: BusSocket) {
    this.socket = socket;
    this.#dbus = dbus;
    this.#bus = bus;
    // Waited for only in races: alone it must not count as unhandled.
    this.#broken.promise.catch(() => {});
    const fail = (cause: unknown): void => {
      this.#broken.reject(broken(socket, cause));
    };
    bus.on('error', fail);
    internals(bus).stream.on('close', () => {
      fail(new Error('the connection was closed'));
    });
    bus.on('message', (message) => {
      this.#dispatch(message);
    });
  }

  /** @throws SystemdError BUS_FAILED when nobody listens there or the handshake fails. */
  static async connect(socket: BusSocket, signal: AbortSignal): Promise<Bus> {
    signal.throwIfAborted();
    const { default: dbus } = (await import('dbus-next')) as unknown as {
      default: typeof DBus;
    };
    // `socket=` rather than `path=`: the latter first tries a native module that is not there.
    const bus = new Bus(
      dbus,
      dbus.sessionBus({ busAddress: `unix:socket=${socket.path}` }),
      socket,
    );
    const connected = Promise.withResolvers<void>();
    if (socket.kind === 'bus') {
      bus.#bus.on('connect', connected.resolve);
    } else {
      // systemd would answer the Hello that the library has queued with an error, which the library
      // turns into an unhandled rejection. It is not sent before the socket is connected.
      internals(bus.#bus)['_messages'].length = 0;
      internals(bus.#bus).once('connect', connected.resolve);
    }
    try {
      await bus.#race(connected.promise, 'connecting', CONNECT_TIMEOUT_MS, signal);
      if (socket.kind === 'peer') await bus.#awaken(signal);
    } catch (error) {
      bus.close();
      throw error;
    }
    return bus;
  }

  /**
   * Calls a method, of systemd's Manager unless the call says otherwise; returns the reply's body.
   * @throws BusReplyError when it is answered with an error; SystemdError CALL_TIMEOUT, BUS_FAILED
   */
  async call(call: BusCall, signal: AbortSignal): Promise<readonly unknown[]> {
    signal.throwIfAborted();
    const message = new this.#dbus.Message({
      path: call.path ?? MANAGER_PATH,
      interface: call.interface ?? MANAGER_INTERFACE,
      member: call.member,
      ...(this.socket.kind === 'bus' ? { destination: call.destination ?? SYSTEMD } : {}),
      ...(call.signature === undefined ? {} : { signature: call.signature }),
      ...(call.body === undefined ? {} : { body: [...call.body] }),
    });
    const timeoutMs = call.timeoutMs ?? CALL_TIMEOUT_MS;
    const reply = await this.#race(this.#send(message), call.member, timeoutMs, signal);
    return reply === null ? [] : (reply.body as readonly unknown[]);
  }

  /** Hears every signal that arrives, until the returned function is called. */
  onSignal(listener: (signal: BusSignal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits for `promise` as long as the connection lives.
   * @throws SystemdError BUS_FAILED
   */
  async whileConnected<T>(promise: Promise<T>): Promise<T> {
    return await Promise.race([promise, this.#broken.promise]);
  }

  close(): void {
    this.#bus.disconnect();
    internals(this.#bus).stream.destroy();
  }

  // What reaches systemd together with the end of the handshake, it looks at only when more arrives
  // (seen on 252, on a busy machine). So it is asked until it has answered once, with an error or without.
  async #awaken(signal: AbortSignal): Promise<void> {
    const answered = Promise.withResolvers<void>();
    const ping = (): void => {
      const peer = { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
      this.#send(new this.#dbus.Message(peer)).then(
        () => answered.resolve(),
        (error: unknown) => {
          if (error instanceof BusReplyError) answered.resolve();
          else answered.reject(error);
        },
      );
    };
    ping();
    const again = setInterval(ping, AWAKEN_INTERVAL_MS);
    try {
      await this.#race(answered.promise, 'Ping', CONNECT_TIMEOUT_MS, signal);
    } finally {
      clearInterval(again);
    }
  }

  async #send(message: Message): Promise<Message | null> {
    try {
      return await this.#bus.call(message);
    } catch (error) {
      if (error instanceof this.#dbus.DBusError)
        throw new BusReplyError(error.type, printable(error.text));
      // The library throws when it writes to a closed stream.
      throw broken(this.socket, error);
    }
  }

  async #race<T>(
    promise: Promise<T>,
    doing: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<T> {
    const stop = Promise.withResolvers<never>();
    const onAbort = (): void => {
      stop.reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      stop.reject(
        new SystemdError(
          'CALL_TIMEOUT',
          `asking systemd: no answer to ${doing} in ${timeoutMs} ms`,
        ),
      );
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.catch(() => {});
    try {
      return await Promise.race([promise, stop.promise, this.#broken.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #dispatch(message: Message): void {
    if (message.type !== this.#dbus.MessageType.SIGNAL) return;
    const signal = {
      interface: message.interface,
      member: message.member,
      body: message.body as readonly unknown[],
    };
    for (const listener of this.#listeners) listener(signal);
  }
}

// Not part of the library's interface; its version is pinned and it has no maintainer to change it.
interface ConnectionInternals extends EventEmitter {
  /** What waits to be sent until the handshake is done. */
  readonly _messages: unknown[];
  readonly stream: Socket;
}

function internals(bus: MessageBus): ConnectionInternals {
  return (bus as unknown as { readonly _connection: ConnectionInternals })['_connection'];
}

function broken(socket: BusSocket, cause: unknown): SystemdError {
  return new SystemdError(
    'BUS_FAILED',
    `talking to systemd at ${socket.path}: ${messageOf(cause)}`,
    {
      cause,
    },
  );
}
