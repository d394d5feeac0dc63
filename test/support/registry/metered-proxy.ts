// SPDX-License-Identifier: Apache-2.0
// A TCP proxy before a registry that counts what it lets through, and holds the line when told to.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface MeteredProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Bytes that were sent to clients since the last {@link MeteredProxy.holdAfter}. */
  sentBytes(): number;
  /** Resolves when the line is held. */
  readonly held: Promise<void>;
  /** Lets so many more bytes through to the clients, and then none, until it is called again. */
  holdAfter(bytes: number): void;
}

/** @param target `127.0.0.1:PORT` of a server that speaks plain HTTP. */
export async function startMeteredProxy(target: string): Promise<MeteredProxy> {
  const [hostname = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let sent = 0;
  let allowance = Infinity;
  let hold = Promise.withResolvers<void>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {});
    }
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, allowance - sent));
      sent += part.length;
      if (part.length > 0 && !client.write(part)) {
        upstream.pause();
        client.once('drain', () => upstream.resume());
      }
      if (part.length < chunk.length) {
        upstream.pause();
        hold.resolve();
      }
    });
    upstream.on('close', () => client.end());
    client.on('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: `127.0.0.1:${address.port}`,
    sentBytes: () => sent,
    get held() {
      return hold.promise;
    },
    holdAfter: (bytes) => {
      allowance = bytes;
      sent = 0;
      hold = Promise.withResolvers<void>();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
