// SPDX-License-Identifier: Apache-2.0
import type { RuntimeCapabilities } from '../oci/runtime-config.ts';
import type { AdaptationLog } from './adaptation-log.ts';
import { CAPABILITIES, inKernelOrder } from './capability.ts';

const SETS = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const;

/**
 * The capabilities that the host can give: runtimes fail on those that it lacks, and images of the
 * field list all that their author's kernel had. Pure.
 */
export function adaptCapabilities(
  capabilities: RuntimeCapabilities,
  hostHas: ReadonlySet<string>,
  log: AdaptationLog,
): RuntimeCapabilities {
  const wanted = new Set(SETS.flatMap((set) => (capabilities[set] ?? []).map(kernelName)));
  const unknown = [...wanted].filter((name) => !CAPABILITIES.includes(name));
  const lacking = inKernelOrder(wanted).filter((name) => !hostHas.has(name));
  if (unknown.length > 0) log.note(`unknown capabilities left out: ${unknown.join(' ')}`);
  if (lacking.length > 0)
    log.note(`capabilities that this host lacks left out: ${lacking.join(' ')}`);
  const kept = SETS.flatMap((set) => {
    const names = capabilities[set];
    if (names === undefined) return [];
    const given = inKernelOrder(names.map(kernelName)).filter((name) => hostHas.has(name));
    return [[set, [...given]] as const];
  });
  return Object.fromEntries(kept);
}

function kernelName(name: string): string {
  const upper = name.toUpperCase();
  return upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}
