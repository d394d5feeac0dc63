// SPDX-License-Identifier: Apache-2.0
import type { PolicyLocation } from '../../trust/policy/policy-location.ts';
import type { Context } from '../context/context.ts';
import type { OptionValues } from '../options/option-values.ts';

/** Which trust policy a verb goes by: the root's own, or what POLICY_OPTIONS name. */
export function policyLocation({ host, env }: Context, options: OptionValues): PolicyLocation {
  return {
    host,
    env,
    override: options.text('policy'),
    trustDirectory: options.text('trust-dir'),
  };
}
