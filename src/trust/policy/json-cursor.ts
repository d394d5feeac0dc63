// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonDocument,
  type JsonPath,
  type JsonValue,
  parseStrictJson,
} from '../../base/strict-json.ts';
import { TrustError } from '../verdict/trust-error.ts';

/** What can stand in a policy, but cannot be meant. */
export interface PolicyWarning {
  /** In the policy file, from 1. */
  readonly line: number;
  /** `transports.docker["x"]: matches no image: …` */
  readonly text: string;
}

/** Whose grammar a document has: containers/image's, or sysct's own, which has more to say. */
export type Dialect = 'policy.json' | 'trust.d';

const MANUAL: Readonly<Record<Dialect, string>> = {
  'policy.json': 'containers-policy.json(5)',
  'trust.d': 'sysct.trust.d(5)',
};

/** A value of a policy document that knows where it stands, so that every complaint names the place. */
export class JsonCursor {
  readonly value: JsonValue;
  readonly dialect: Dialect;
  readonly #document: JsonDocument;
  readonly #file: string;
  readonly #path: JsonPath;

  private constructor(
    document: JsonDocument,
    file: string,
    dialect: Dialect,
    path: JsonPath,
    value: JsonValue,
  ) {
    this.dialect = dialect;
    this.#document = document;
    this.#file = file;
    this.#path = path;
    this.value = value;
  }

  /**
   * The root of a document.
   * @param file names it in messages
   * @throws TrustError INVALID_POLICY for what is no strict JSON
   */
  static parse(text: string, file: string, dialect: Dialect): JsonCursor {
    try {
      const document = parseStrictJson(text, file);
      return new JsonCursor(document, file, dialect, [], document.value);
    } catch (cause) {
      if (!(cause instanceof InvalidJsonError)) throw cause;
      throw new TrustError('INVALID_POLICY', cause.message, {
        cause,
        hint: `it is plain JSON, as ${MANUAL[dialect]} describes it`,
      });
    }
  }

  get line(): number {
    return this.#document.placeOf(this.#path).line;
  }

  /** @throws TrustError INVALID_POLICY `file:line:column: path: reason` */
  fail(reason: string): never {
    const { line, column } = this.#document.placeOf(this.#path);
    const path = this.#path.length === 0 ? '' : `${formatPath(this.#path)}: `;
    throw new TrustError('INVALID_POLICY', `${this.#file}:${line}:${column}: ${path}${reason}`, {
      hint: `the format is described in ${MANUAL[this.dialect]}`,
    });
  }

  /** The same place, in a warning. */
  warning(reason: string): PolicyWarning {
    return { line: this.line, text: `${formatPath(this.#path)}: ${reason}` };
  }

  /** The members of an object, in order. */
  members(): readonly (readonly [string, JsonCursor])[] {
    if (!isJsonObject(this.value)) return this.fail(`must be an object, not ${kindOf(this.value)}`);
    return Object.entries(this.value).map(
      ([key, value]) => [key, this.#child(key, value)] as const,
    );
  }

  /** The members of an object that may have these keys and no others. */
  closedObject<Key extends string>(keys: readonly Key[]): ReadonlyMap<Key, JsonCursor> {
    const members = new Map<Key, JsonCursor>();
    for (const [key, member] of this.members()) {
      const known = keys.find((name) => name === key);
      if (known === undefined) {
        const near = keys.find((name) => name.toLowerCase() === key.toLowerCase());
        const advice =
          near === undefined ? `known are ${keys.join(', ')}` : `did you mean ${near}?`;
        return member.fail(`unknown key ${quote(key)}; ${advice}`);
      }
      members.set(known, member);
    }
    return members;
  }

  list(): readonly JsonCursor[] {
    if (!Array.isArray(this.value)) return this.fail(`must be a list, not ${kindOf(this.value)}`);
    return (this.value as readonly JsonValue[]).map((value, n) => this.#child(n, value));
  }

  string(): string {
    return typeof this.value === 'string'
      ? this.value
      : this.fail(`must be a string, not ${kindOf(this.value)}`);
  }

  /** A whole number from `least` on. */
  count(least: number): number {
    const { value } = this;
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
      ? value
      : this.fail(`must be a whole number, at least ${least}`);
  }

  nonEmptyString(): string {
    const text = this.string();
    return text === '' ? this.fail('must not be empty') : text;
  }

  #child(step: string | number, value: JsonValue): JsonCursor {
    const path = [...this.#path, step];
    return new JsonCursor(this.#document, this.#file, this.dialect, path, value);
  }
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  return Array.isArray(value)
    ? 'a list'
    : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

// transports.docker["quay.io/x"][0].keyPath
function formatPath(path: JsonPath): string {
  return path
    .map((step, n) => {
      if (typeof step === 'number') return `[${step}]`;
      if (/^[A-Za-z][\w-]*$/.test(step)) return n === 0 ? step : `.${step}`;
      return `[${quote(step)}]`;
    })
    .join('');
}
