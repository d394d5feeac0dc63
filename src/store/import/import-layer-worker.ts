// SPDX-License-Identifier: Apache-2.0
// The program of an import's thread: reads the archives of layers, hashes files, writes objects and layer files.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { StoreLayout } from '../disk/layout.ts';
import type { BeginLayer, ImportThreadData, LayerOrder, LayerReport } from './import-messages.ts';
import { LayerIntake } from './layer-intake.ts';
import { ObjectStaging } from './object-staging.ts';
import { encodeThreadError } from './thread-error.ts';

const { storeDirectory, stagingDirectory, borrowing, name } = workerData as ImportThreadData;
const layout = new StoreLayout(storeDirectory);
const staging = new ObjectStaging(layout, stagingDirectory, borrowing, name);

parentPort?.on('message', ({ layerFile, diffId, port }: BeginLayer) => {
  let intake: LayerIntake | undefined;
  const stop = (): void => {
    intake?.[Symbol.dispose]();
    intake = undefined;
    port.close();
  };
  port.on('close', stop);
  const attempt = (action: () => LayerReport | undefined): void => {
    try {
      const report = action();
      if (report !== undefined) send(port, report);
    } catch (error) {
      send(port, { kind: 'failed', error: encodeThreadError(error) });
      stop();
    }
  };
  attempt(() => {
    intake = new LayerIntake(layerFile, diffId, staging);
    return undefined;
  });
  port.on('message', (order: LayerOrder) => {
    // Orders that were on their way when it failed.
    const open = intake;
    if (open !== undefined) attempt(() => carryOut(open, order));
  });
});

function carryOut(intake: LayerIntake, order: LayerOrder): LayerReport {
  switch (order.kind) {
    case 'chunk':
      intake.write(order.bytes);
      return { kind: 'taken', writtenBytes: staging.takeWrittenBytes() };
    case 'end':
      intake.end();
      return { kind: 'ended' };
    case 'finish': {
      const droppedXattrs = intake.finish();
      return { kind: 'finished', outcome: { objects: staging.takeNews(), droppedXattrs } };
    }
  }
}

function send(port: MessagePort, report: LayerReport): void {
  port.postMessage(report);
}
