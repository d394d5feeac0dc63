// SPDX-License-Identifier: Apache-2.0
//
// For a time that it cannot read Node's `validToDate` gives what happens to lie in memory, which may be in the future.
import { TrustError } from '../verdict/trust-error.ts';
import { DER_TAG, type DerElement, readDerList } from './der.ts';

const UTC_TIME = /^(\d\d)(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

/**
 * `Validity` of RFC 5280 §4.1.2.5: in UTC, with seconds, without fractions.
 * @throws TrustError BAD_SIGNATURE; the message follows "a certificate that"
 */
export function readValidity(validity: DerElement): {
  readonly notBefore: Date;
  readonly notAfter: Date;
} {
  const [from, until, ...rest] = validity.tag === DER_TAG.sequence ? readDerList(validity) : [];
  const notBefore = from && readTime(from);
  const notAfter = until && readTime(until);
  if (notBefore === undefined || notAfter === undefined || rest.length > 0)
    throw new TrustError('BAD_SIGNATURE', 'has no readable time of validity');
  return { notBefore, notAfter };
}

function readTime({ tag, content }: DerElement): Date | undefined {
  const text = content.toString('latin1');
  const isShort = tag === DER_TAG.utcTime;
  if (!isShort && tag !== DER_TAG.generalizedTime) return undefined;
  const parts = (isShort ? UTC_TIME : GENERALIZED_TIME).exec(text)?.slice(1);
  if (parts === undefined) return undefined;
  const [year = '', month, day, hour, minute, second] = parts;
  const fullYear = isShort ? `${Number(year) < 50 ? '20' : '19'}${year}` : year;
  const iso = `${fullYear}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(iso);
  // 31 February is a day in March to Date.
  return !Number.isNaN(time.getTime()) && time.toISOString() === iso ? time : undefined;
}
