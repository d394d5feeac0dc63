// SPDX-License-Identifier: Apache-2.0
// The program of the threads that check: takes jobs, answers each with what was found.
import { parentPort, workerData } from 'node:worker_threads';
import { StoreLayout } from '../disk/layout.ts';
import { StoreError } from '../disk/store-error.ts';
import { type CheckAnswer, type CheckJob, type CheckWorkerData, runCheckJob } from './check-job.ts';

const { directory, mode } = workerData as CheckWorkerData;
const layout = new StoreLayout(directory);

parentPort?.on('message', (job: CheckJob) => {
  // What it throws ends this thread, and fails the job there.
  void answer(job).then((result) => parentPort?.postMessage(result, []));
});

async function answer(job: CheckJob): Promise<CheckAnswer> {
  try {
    return { kind: 'done', result: await runCheckJob(layout, job, mode) };
  } catch (error) {
    // Classes do not travel between threads.
    if (!(error instanceof StoreError)) throw error;
    const { code, message, hint } = error;
    return { kind: 'failed', code, message, hint };
  }
}
