// SPDX-License-Identifier: Apache-2.0
import type { Digest } from './digest.ts';

/**
 * What long work reports about itself. `cli` shows it as bars, lines, or JSON lines
 * (`--progress-fd`); readers of the JSON must ignore kinds they do not know.
 */
export type ProgressEvent =
  | { readonly kind: 'layer-known'; readonly digest: Digest; readonly sizeBytes: number }
  | { readonly kind: 'layer-start'; readonly digest: Digest; readonly sizeBytes: number }
  | { readonly kind: 'layer-bytes'; readonly digest: Digest; readonly bytes: number }
  | { readonly kind: 'layer-done'; readonly digest: Digest; readonly sizeBytes: number }
  /** A check of the store: so many of its parts are done, so many bytes were read. */
  | {
      readonly kind: 'check';
      readonly done: number;
      readonly parts: number;
      readonly readBytes: number;
    }
  | { readonly kind: 'stage'; readonly stage: ProgressStage; readonly subject: string };

export type ProgressStage =
  | 'resolving'
  | 'verifying'
  | 'pulling'
  | 'merging'
  | 'committing'
  | 'planning'
  | 'switching'
  | 'checking'
  | 'repairing'
  | 'starting';

export type Progress = (event: ProgressEvent) => void;

export const noProgress: Progress = () => {};
