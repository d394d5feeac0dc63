// SPDX-License-Identifier: Apache-2.0
import { formatSize } from '../../base/size.ts';
import { type Digest, shortDigest } from '../../base/digest.ts';
import type { ProgressEvent } from '../../base/progress.ts';
import { assertNever } from '../../base/assert-never.ts';
import { printable } from '../../base/printable.ts';

interface Bar {
  readonly sizeBytes: number;
  done: number;
  state: 'running' | 'done' | 'known';
}

const REDRAW_MS = 100;
const BAR_WIDTH = 24;

/** Anything that text can be written to; a terminal has `columns`. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Progress for people: a bar a layer that redraws in place on a terminal, else one line a layer. */
export class ProgressBars {
  readonly #stream: ProgressStream;
  readonly #clock: () => number;
  readonly #bars = new Map<Digest, Bar>();
  #drawn = 0;
  #lastDraw = -Infinity;

  constructor(stream: ProgressStream, clock: () => number) {
    this.#stream = stream;
    this.#clock = clock;
  }

  report(event: ProgressEvent): void {
    switch (event.kind) {
      case 'layer-start':
        this.#bars.set(event.digest, { sizeBytes: event.sizeBytes, done: 0, state: 'running' });
        break;
      case 'layer-bytes': {
        const bar = this.#bars.get(event.digest);
        if (bar !== undefined) bar.done = Math.min(bar.done + event.bytes, bar.sizeBytes);
        break;
      }
      case 'layer-known':
        this.#bars.set(event.digest, {
          sizeBytes: event.sizeBytes,
          done: event.sizeBytes,
          state: 'known',
        });
        this.#line(`layer ${shortDigest(event.digest)}  already in the store`);
        break;
      case 'layer-done': {
        const bar = this.#bars.get(event.digest);
        if (bar !== undefined) [bar.done, bar.state] = [bar.sizeBytes, 'done'];
        this.#line(`layer ${shortDigest(event.digest)}  ${formatSize(event.sizeBytes)}`);
        break;
      }
      case 'check':
        this.#check(event);
        return;
      case 'stage':
        this.#finishBars();
        this.#stream.write(`${stageWords(event.stage)} ${printable(event.subject)}\n`);
        return;
      default:
        assertNever(event);
    }
    this.#draw(event.kind !== 'layer-bytes');
  }

  /** Leaves the bars as they are, the cursor below them. */
  finish(): void {
    this.#finishBars();
  }

  #line(text: string): void {
    if (this.#stream.isTTY !== true) this.#stream.write(`${text}\n`);
  }

  #check({ done, parts, readBytes }: Extract<ProgressEvent, { kind: 'check' }>): void {
    if (this.#stream.isTTY !== true) return;
    const isLast = done === parts;
    if (!isLast && this.#clock() - this.#lastDraw < REDRAW_MS) return;
    this.#lastDraw = this.#clock();
    const amount = `${gauge(done / parts)} ${formatSize(readBytes)} read`;
    this.#stream.write(`\r\x1b[2K${amount}${isLast ? '\n' : ''}`);
  }

  #draw(now: boolean): void {
    if (this.#stream.isTTY !== true) return;
    if (!now && this.#clock() - this.#lastDraw < REDRAW_MS) return;
    this.#lastDraw = this.#clock();
    const up = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A`;
    const lines = [...this.#bars].map(
      ([digest, bar]) => `\x1b[2K${this.#renderBar(digest, bar)}\n`,
    );
    this.#drawn = lines.length;
    this.#stream.write(`${up}${lines.join('')}`);
  }

  #renderBar(digest: Digest, bar: Bar): string {
    const share = bar.sizeBytes === 0 ? 1 : bar.done / bar.sizeBytes;
    const amount =
      bar.state === 'known' ? 'in store' : `${formatSize(bar.done)} / ${formatSize(bar.sizeBytes)}`;
    return `layer ${shortDigest(digest)} ${gauge(share)} ${amount}`.slice(
      0,
      (this.#stream.columns ?? 80) - 1,
    );
  }

  #finishBars(): void {
    if (this.#bars.size > 0) this.#draw(true);
    this.#bars.clear();
    this.#drawn = 0;
  }
}

function gauge(share: number): string {
  const filled = Math.round(share * BAR_WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
}

function stageWords(stage: Extract<ProgressEvent, { kind: 'stage' }>['stage']): string {
  return stage.charAt(0).toUpperCase() + stage.slice(1);
}
