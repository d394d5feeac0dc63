// SPDX-License-Identifier: Apache-2.0
// What the options of source-options.ts mean: source, platform and trust gate of a verb that obtains an image.
import { dirname, join } from 'node:path';
import type { DecidingVerb } from '../../image/gate/decision.ts';
import { DecisionLedger } from '../../image/gate/decision-ledger.ts';
import type { ImageSource } from '../../image/source/image-source.ts';
import { openSource } from '../../image/source/open-source.ts';
import type { Purpose, TrustGate } from '../../image/gate/trust-gate.ts';
import { parsePlatform, platformOfNode, type Platform } from '../../oci/platform.ts';
import { StoreLayout } from '../../store/disk/layout.ts';
import { storeFailure } from '../../store/disk/store-failure.ts';
import { makeDirectories } from '../../sys/make-directories.ts';
import { loadPolicy } from '../../trust/policy/policy-file.ts';
import { SignedTimes } from '../../trust/rule/signed-times.ts';
import type { Context } from '../context/context.ts';
import type { OptionValues } from '../options/option-values.ts';
import { policyLocation } from './policy-location.ts';
import { VERSION } from '../output/version.ts';

/** Opens the source that the user named, with the options of SOURCE_OPTIONS. */
export async function openSourceFor(
  context: Context,
  text: string,
  options: OptionValues,
  endpoints: 'all' | 'primary' = 'all',
): Promise<ImageSource> {
  const scratchDirectory = join(context.storeDirectory, 'txn');
  if (/^(oci|docker)-archive:/.test(text)) {
    try {
      makeDirectories(dirname(context.storeDirectory), 0o777);
      makeDirectories(scratchDirectory, 0o700);
    } catch (error) {
      throw storeFailure(`making room for ${text} in the store`, error);
    }
  }
  return await openSource(text, {
    host: context.host,
    env: context.env,
    version: VERSION,
    log: context.log,
    signal: context.signal,
    registry: {
      authfile: options.text('authfile'),
      creds: options.text('creds'),
      certDir: options.text('cert-dir'),
      tlsVerify: options.boolean('tls-verify'),
      retries: options.number('retry', 0),
      retryDelayMs: options.durationMs('retry-delay'),
    },
    endpoints,
    scratchDirectory,
  });
}

export function platformFor(options: OptionValues): Platform {
  const text = options.text('platform');
  return text === undefined ? platformOfNode(process.arch) : parsePlatform(text);
}

/** @param decider the verb whose decisions are recorded; `nobody` where nothing follows from them */
export async function gateFor(
  context: Context,
  purpose: Purpose,
  options: OptionValues,
  decider: DecidingVerb | 'nobody',
): Promise<TrustGate> {
  const { trust } = new StoreLayout(context.storeDirectory);
  return {
    loaded: await loadPolicy(policyLocation(context, options)),
    purpose,
    allowUnsigned: options.flag('allow-unsigned'),
    now: () => context.now(),
    signal: context.signal,
    history: new SignedTimes(trust, { allowDowngrade: options.flag('allow-downgrade') }),
    ledger: decider === 'nobody' ? undefined : ledgerOf(context, decider),
  };
}

function ledgerOf(context: Context, verb: DecidingVerb): DecisionLedger {
  const { log, storeDirectory } = context;
  const layout = new StoreLayout(storeDirectory);
  return new DecisionLedger({ layout, verb, log, now: () => context.now() });
}
