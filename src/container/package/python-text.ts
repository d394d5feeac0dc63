// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../../base/strict-json.ts';

/**
 * What Python's `str()` makes of a JSON scalar, since images were written for a tool in Python.
 *
 * @param source the document's text from where the value starts: JavaScript keeps neither `1.0` apart
 *   from `1` nor integers beyond 2^53.
 * @returns undefined for lists and objects.
 */
export function pythonText(value: JsonValue, source: string): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return pythonNumber(value, source);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return undefined;
}

function pythonNumber(value: number, source: string): string {
  const literal = /^-?[0-9]+(?![0-9.eE])/.exec(source)?.[0];
  if (literal !== undefined) return literal === '-0' ? '0' : literal;
  return pythonFloat(value);
}

// repr(float): the shortest digits that read back, in plain notation from 1e-4 up to 1e16.
function pythonFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [mantissa = '0', power = '0'] = Math.abs(value).toExponential().split('e');
  const exponent = Number(power);
  const digits = mantissa.replace('.', '');
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.padEnd(exponent + 1, '0').slice(0, exponent + 1);
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}
