// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';

/** The options that were given to a verb, by their long name without dashes. */
export class OptionValues {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  /** Whether it was given. commander keeps `--no-trunc` as a `trunc` that is false. */
  flag(name: string): boolean {
    const negated = /^no-(.+)$/.exec(name)?.[1];
    if (negated !== undefined) return this.#values[camelCase(negated)] === false;
    return this.#values[camelCase(name)] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[camelCase(name)];
    return typeof value === 'string' ? value : undefined;
  }

  list(name: string): readonly string[] {
    const value = this.#values[camelCase(name)];
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  }

  /** A whole number, at least `least`. @throws UsageError */
  number(name: string, least: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least && /^\d+$/.test(text)) return value;
    throw new UsageError(`--${name} ${quote(text)} is not a whole number of at least ${least}`);
  }

  /** A time as podman and Go write it (`5s`, `1m30s`, `500ms`), in milliseconds. @throws UsageError */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [whole, hours, minutes, seconds, milliseconds] =
      /^(?:(\d{1,4})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,6}(?:\.\d{1,3})?)s)?(?:(\d{1,9})ms)?$/.exec(
        text,
      ) ?? [];
    if (whole === undefined || whole === '') {
      throw new UsageError(`--${name} ${quote(text)} is not a time`, {
        hint: `write it with its unit: --${name} 5s`,
      });
    }
    const [h = 0, m = 0, s = 0, ms = 0] = [hours, minutes, seconds, milliseconds].map((part) =>
      part === undefined ? 0 : Number(part),
    );
    return Math.round(((h * 60 + m) * 60 + s) * 1000 + ms);
  }

  /** `true` and `false` as skopeo's `--tls-verify[=BOOL]` takes them; undefined when not given. */
  boolean(name: string): boolean | undefined {
    const value = this.#values[camelCase(name)];
    if (value === undefined) return undefined;
    if (value === true || value === 'true' || value === '1') return true;
    if (value === false || value === 'false' || value === '0') return false;
    throw new UsageError(
      `--${name} ${quote(typeof value === 'string' ? value : '')} is neither true nor false`,
    );
  }
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
