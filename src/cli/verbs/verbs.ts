// SPDX-License-Identifier: Apache-2.0
import type { Verb, VerbGroup } from '../context/verb.ts';
import { completion } from './completion.ts';
import { df } from './df.ts';
import { exec } from './exec.ts';
import { gc } from './gc.ts';
import { fsck } from './fsck.ts';
import { images } from './images.ts';
import { inspect } from './inspect.ts';
import { install } from './install.ts';
import { list } from './list.ts';
import { logs } from './logs.ts';
import { prefetch } from './prefetch.ts';
import { pull } from './pull.ts';
import { rmi } from './rmi.ts';
import { run } from './run.ts';
import { restart, start, stop } from './service-verbs.ts';
import { sign } from './sign.ts';
import { status } from './status.ts';
import { trustAllow } from './trust-allow.ts';
import { trustDefault } from './trust-default.ts';
import { trustExplain } from './trust-explain.ts';
import { trustLint } from './trust-lint.ts';
import { trustReject } from './trust-reject.ts';
import { trustRemove } from './trust-remove.ts';
import { trustRequire } from './trust-require.ts';
import { trustShow } from './trust-show.ts';
import { uninstall } from './uninstall.ts';
import { verify } from './verify.ts';

/** Every verb, in the order that help lists them. */
export const VERBS: readonly Verb[] = [
  install,
  uninstall,
  list,
  status,
  inspect,
  start,
  stop,
  restart,
  logs,
  run,
  exec,
  pull,
  prefetch,
  images,
  rmi,
  df,
  gc,
  verify,
  sign,
  trustShow,
  trustExplain,
  trustAllow,
  trustReject,
  trustDefault,
  trustRequire,
  trustRemove,
  trustLint,
  fsck,
  completion,
];

/** The first words of verbs that have two. */
export const VERB_GROUPS: readonly VerbGroup[] = [
  {
    name: 'trust',
    summary: 'Show, explain and edit the trust policy',
    description: [
      'Works on what decides which images are admitted: /etc/containers/policy.json, the keys that it names, and /etc/containers/registries.d. Edits keep everything in these files that they are not about.',
    ],
  },
];
