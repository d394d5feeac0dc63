// SPDX-License-Identifier: Apache-2.0
import { COMMON_OPTIONS } from '../context/context.ts';
import type { OptionSpec } from '../options/option-spec.ts';
import type { Verb, VerbGroup } from '../context/verb.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

/** A completion script: verbs and options are in it, names of containers and images are asked for when needed. */
export function completionScript(
  shell: Shell,
  verbs: readonly Verb[],
  groups: readonly VerbGroup[],
): string {
  switch (shell) {
    case 'bash':
      return bashScript(verbs);
    case 'zsh':
      return `#compdef sysct\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(verbs)}`;
    case 'fish':
      return fishScript(verbs, groups);
  }
}

function bashScript(verbs: readonly Verb[]): string {
  const cases = verbs.map((verb) => {
    const options = longOptions(verb).join(' ');
    const pattern = verb.name.includes(' ') ? `'${verb.name}'` : verb.name;
    return `    ${pattern}) options='${options}'; names='${namesCommand(verb)}' ;;`;
  });
  const groups = [...groupsOf(verbs)].map(
    ([first, seconds]) => `    ${first}) seconds='${seconds.join(' ')}' ;;`,
  );
  return `# bash completion of sysct
_sysct() {
  local word=\${COMP_WORDS[COMP_CWORD]} verb=\${COMP_WORDS[1]} options= names= seconds= typed colons=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${firstWords(verbs).join(' ')} help --help --version' -- "$word"))
    return
  fi
  case $verb in
${groups.join('\n')}
  esac
  if [ -n "$seconds" ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -W "$seconds --help" -- "$word"))
      return
    fi
    verb="$verb \${COMP_WORDS[2]}"
  fi
  case $verb in
${cases.join('\n')}
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) typed=\${COMP_LINE:0:COMP_POINT}
       typed=\${typed##*[[:space:]]}
       [ -z "$names" ] || COMPREPLY=($(compgen -W "$($names 2>/dev/null)" -- "$typed"))
       # A colon ends a word of readline, and names of images have some.
       case \${COMP_WORDBREAKS-} in *:*) colons=\${typed%"\${typed##*:}"} ;; esac
       COMPREPLY=("\${COMPREPLY[@]#"$colons"}")
       [ \${#COMPREPLY[@]} -gt 0 ] || compopt -o default ;;
  esac
}
complete -F _sysct sysct
`;
}

/** The first words of verbs that have two, each with its second words. */
function groupsOf(verbs: readonly Verb[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { name } of verbs) {
    const [first = '', second] = name.split(' ');
    if (second !== undefined) groups.set(first, [...(groups.get(first) ?? []), second]);
  }
  return groups;
}

function firstWords(verbs: readonly Verb[]): readonly string[] {
  return [...new Set(verbs.map(({ name }) => name.split(' ')[0] ?? ''))];
}

function fishScript(verbs: readonly Verb[], groups: readonly VerbGroup[]): string {
  const lines = ['# fish completion of sysct', 'complete -c sysct -f'];
  for (const { name, summary } of groups) {
    lines.push(`complete -c sysct -n __fish_use_subcommand -a ${name} -d ${fishQuote(summary)}`);
  }
  for (const verb of verbs) {
    const [first = '', second] = verb.name.split(' ');
    const of = `__fish_seen_subcommand_from ${first}`;
    const offered =
      second === undefined
        ? `-n __fish_use_subcommand -a ${first}`
        : `-n '${of}; and test (count (commandline -poc)) -eq 2' -a ${second}`;
    lines.push(`complete -c sysct ${offered} -d ${fishQuote(verb.summary)}`);
    const condition =
      second === undefined ? `-n '${of}'` : `-n '${of}; and __fish_seen_subcommand_from ${second}'`;
    for (const option of [...verb.options, ...COMMON_OPTIONS]) {
      const long = longName(option);
      if (long !== undefined) {
        lines.push(
          `complete -c sysct ${condition} -l ${long.slice(2)} -d ${fishQuote(option.description)}`,
        );
      }
    }
    const names = namesCommand(verb);
    if (names !== '') lines.push(`complete -c sysct ${condition} -a '(${names} 2>/dev/null)'`);
    else if (verb.args.some((arg) => arg.completes === 'files'))
      lines.push(`complete -c sysct ${condition} -F`);
  }
  return `${lines.join('\n')}\n`;
}

function namesCommand(verb: Verb): string {
  const completes = verb.args.map((arg) => arg.completes);
  if (completes.includes('containers')) return 'sysct list --quiet';
  if (completes.includes('images')) return 'sysct images --quiet --names';
  return '';
}

function longOptions(verb: Verb): readonly string[] {
  return [...verb.options, ...COMMON_OPTIONS, { flags: '--help', description: '' }]
    .map(longName)
    .filter((name) => name !== undefined);
}

function longName(option: OptionSpec): string | undefined {
  return /--[a-z][a-z-]*/.exec(option.flags)?.[0];
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
