// SPDX-License-Identifier: Apache-2.0
import { ArchiveError, type ArchiveErrorCode } from '../../archive/archive-error.ts';
import { SysctError } from '../../base/sysct-error.ts';
import { StoreError, type StoreErrorCode } from '../disk/store-error.ts';
import { LayerError, type LayerErrorCode } from '../tree/layer-error.ts';

// The structured clone of an error forgets its class and its own properties.

interface Common {
  readonly message: string;
  readonly stack: string | undefined;
}

/** An error in a form that another thread can make one of again. */
export type ThreadError =
  | (Common & {
      readonly kind: 'archive';
      readonly code: ArchiveErrorCode;
      readonly hint: string | undefined;
    })
  | (Common & {
      readonly kind: 'layer';
      readonly code: LayerErrorCode;
      readonly hint: string | undefined;
    })
  | (Common & {
      readonly kind: 'store';
      readonly code: StoreErrorCode;
      readonly hint: string | undefined;
    })
  /** Of a system call: `code`, `errno`, `syscall`, `path`, as Node names them. */
  | (Common & { readonly kind: 'system'; readonly properties: object })
  | (Common & { readonly kind: 'other' });

export function encodeThreadError(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { kind: 'other', message: String(error), stack: undefined };
  const { message, stack } = error;
  if (error instanceof ArchiveError) {
    return { kind: 'archive', message, stack, code: error.code, hint: error.hint };
  }
  if (error instanceof LayerError) {
    return { kind: 'layer', message, stack, code: error.code, hint: error.hint };
  }
  if (error instanceof StoreError) {
    return { kind: 'store', message, stack, code: error.code, hint: error.hint };
  }
  const isSystem = 'syscall' in error && !(error instanceof SysctError);
  if (isSystem) return { kind: 'system', message, stack, properties: { ...error } };
  return { kind: 'other', message, stack };
}

export function decodeThreadError(error: ThreadError): Error {
  const decoded = withoutStack(error);
  if (error.stack !== undefined) decoded.stack = error.stack;
  return decoded;
}

function withoutStack(error: ThreadError): Error {
  switch (error.kind) {
    case 'archive':
      return new ArchiveError(error.code, error.message, { hint: error.hint });
    case 'layer':
      return new LayerError(error.code, error.message, { hint: error.hint });
    case 'store':
      return new StoreError(error.code, error.message, { hint: error.hint });
    case 'system':
      return Object.assign(new Error(error.message), error.properties);
    case 'other':
      return new Error(error.message);
  }
}
