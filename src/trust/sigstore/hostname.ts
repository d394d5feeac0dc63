// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import type { AlternativeNames } from './certificate-extensions.ts';

/**
 * Whether a certificate is for the host that the policy names: by its alternative names only, case aside; a `*` stands
 * for exactly one whole leftmost label (RFC 6125 §6.4.3, as Go's VerifyHostname).
 */
export function namesHost({ dnsNames, addresses }: AlternativeNames, host: string): boolean {
  const address = addressOf(host.replace(/^\[(.*)\]$/, '$1'));
  if (address !== undefined) return addresses.some((known) => known.equals(address));
  const wanted = host.toLowerCase().replace(/\.$/, '');
  return dnsNames.some((name) => matches(name.toLowerCase(), wanted));
}

function matches(pattern: string, host: string): boolean {
  if (!isHostname(pattern.replace(/^\*\./, '')) || !isHostname(host)) return false;
  if (!pattern.startsWith('*.')) return pattern === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}

function isHostname(text: string): boolean {
  return text.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label));
}

function addressOf(host: string): Buffer | undefined {
  if (isIP(host) === 4) return Buffer.from(host.split('.').map(Number));
  if (isIP(host) !== 6 || host.includes('%')) return undefined;
  // The URL parser writes an address in its one short form, with hex groups only.
  const short = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [left = '', right] = short.split('::');
  const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const [head, tail] = [groups(left), groups(right ?? '')];
  const zeros = right === undefined ? 0 : 8 - head.length - tail.length;
  const all = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
