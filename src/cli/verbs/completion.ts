// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../base/printable.ts';
import { UsageError } from '../../base/sysct-error.ts';
import { EXIT } from '../output/exit-code.ts';
import type { Verb } from '../context/verb.ts';

export const completion: Verb = {
  name: 'completion',
  summary: 'Print a completion script for a shell',
  description: ['Prints a script that completes verbs, options and names, for bash, zsh or fish.'],
  args: [{ name: 'SHELL', description: 'bash, zsh or fish', arity: 'one' }],
  options: [],
  examples: [
    {
      command: 'sysct completion bash > /etc/bash_completion.d/sysct',
      does: 'Turn completion on for bash.',
    },
  ],
  run: async (context, [shell = '']) => {
    const { completionScript, SHELLS } = await import('../pages/completion-script.ts');
    const { VERB_GROUPS, VERBS } = await import('./verbs.ts');
    const known = SHELLS.find((name) => name === shell);
    if (known === undefined)
      throw new UsageError(`completion: ${quote(shell)} is none of ${SHELLS.join(', ')}`);
    context.print(completionScript(known, VERBS, VERB_GROUPS));
    return EXIT.done;
  },
};
