// SPDX-License-Identifier: Apache-2.0
import type { Verb, VerbGroup } from './verb.ts';
import { completion } from './verbs/completion.ts';
import { df } from './verbs/df.ts';
import { exec } from './verbs/exec.ts';
import { gc } from './verbs/gc.ts';
import { fsck } from './verbs/fsck.ts';
import { images } from './verbs/images.ts';
import { inspect } from './verbs/inspect.ts';
import { install } from './verbs/install.ts';
import { list } from './verbs/list.ts';
import { logs } from './verbs/logs.ts';
import { prefetch } from './verbs/prefetch.ts';
import { pull } from './verbs/pull.ts';
import { rmi } from './verbs/rmi.ts';
import { run } from './verbs/run.ts';
import { restart, start, stop } from './verbs/service-verbs.ts';
import { sign } from './verbs/sign.ts';
import { status } from './verbs/status.ts';
import { trustAllow } from './verbs/trust-allow.ts';
import { trustDefault } from './verbs/trust-default.ts';
import { trustExplain } from './verbs/trust-explain.ts';
import { trustLint } from './verbs/trust-lint.ts';
import { trustReject } from './verbs/trust-reject.ts';
import { trustRemove } from './verbs/trust-remove.ts';
import { trustRequire } from './verbs/trust-require.ts';
import { trustShow } from './verbs/trust-show.ts';
import { uninstall } from './verbs/uninstall.ts';
import { verify } from './verbs/verify.ts';

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
