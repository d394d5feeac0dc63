// SPDX-License-Identifier: Apache-2.0
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';
import { quote } from '../../base/printable.ts';
import { RegistryError } from './registry-error.ts';

/**
 * Which network an address is in. A registry may send us elsewhere, but not into a network that it is not in
 * itself: what listens on loopback, or hands out cloud credentials at 169.254.169.254, trusts its network.
 */
export type AddressClass = 'loopback' | 'link-local' | 'private' | 'public';

type Subnet = readonly [network: string, prefix: number];

const SUBNETS: Readonly<Record<Exclude<AddressClass, 'public'>, readonly Subnet[]>> = {
  loopback: [
    ['127.0.0.0', 8],
    ['0.0.0.0', 8],
    ['::1', 128],
    ['::', 128],
  ],
  'link-local': [
    ['169.254.0.0', 16],
    ['fe80::', 10],
    // Amazon's metadata service has a unique local address.
    ['fd00:ec2::254', 128],
  ],
  private: [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
    ['fc00::', 7],
  ],
};

const CLASSES = (['loopback', 'link-local', 'private'] as const).map((kind) => {
  const list = new BlockList();
  for (const [network, prefix] of SUBNETS[kind]) {
    list.addSubnet(network, prefix, isIPv4(network) ? 'ipv4' : 'ipv6');
  }
  return { kind, list };
});

/** The class of a literal IP address; IPv4 addresses mapped into IPv6 count as what they are. */
export function addressClass(address: string): AddressClass {
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  return CLASSES.find(({ list }) => list.check(address, family))?.kind ?? 'public';
}

export function isLiteralAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** Where a host is: the classes of all its addresses; `public` alone where the name cannot be resolved here (behind a proxy). */
export async function classesOfHost(hostname: string): Promise<ReadonlySet<AddressClass>> {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isLiteralAddress(host)) return new Set([addressClass(host)]);
  const addresses = await lookup(host, { all: true }).catch(() => []);
  const classes = addresses.map(({ address }) => addressClass(address));
  return new Set(classes.length === 0 ? ['public'] : classes);
}

/**
 * A `lookup` for sockets that leaves out addresses of other classes, so that the address that was checked is
 * the one that is connected to.
 */
export function guardedLookup(allowed: ReadonlySet<AddressClass>): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const usable = addresses.filter(({ address }) => allowed.has(addressClass(address)));
      const [first] = usable;
      if (first === undefined) callback(refused(hostname, addresses), '');
      else if (options.all === true) callback(null, usable);
      else callback(null, first.address, first.family);
    });
  };
}

function refused(hostname: string, addresses: readonly LookupAddress[]): RegistryError {
  const { address = '' } = addresses[0] ?? {};
  return addressRefused(`${quote(hostname)} has the ${addressClass(address)} address ${address}`);
}

/** The refusal of an address in a network that who leads there is not in. */
export function addressRefused(seen: string): RegistryError {
  return new RegistryError(
    'REDIRECT_REFUSED',
    `${seen}, and who leads there is not in that network`,
  );
}
