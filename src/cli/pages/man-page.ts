// SPDX-License-Identifier: Apache-2.0
import { COMMON_OPTIONS } from '../context/context.ts';
import type { OptionSpec } from '../options/option-spec.ts';
import type { ArgumentSpec, Verb } from '../context/verb.ts';

/** The exit statuses that sysct(1) documents. */
export const EXIT_STATUS_TABLE: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'done'],
  ['1', 'failed'],
  ['2', 'the command line, or a setting, cannot be meant'],
  ['3', 'the container is not running'],
  ['4', 'no such container or image'],
  ['5', 'refused by the trust policy'],
  ['6', 'the registry or the network failed'],
  ['7', 'no space left, a quota is used up, or the file system is read-only'],
  ['8', 'the store is damaged, or its disk fails'],
  ['9', 'the service did not start; the host was put back as it was'],
  [
    '125, 126, 127, N',
    'of run and exec: sysct failed, not executable, not found, the status of the command',
  ],
];

/** The name of a verb's man page: `sysct-trust-show`. */
export function pageName(verb: Verb): string {
  return `sysct-${verb.name.replace(' ', '-')}`;
}

/** The man page of one verb in marked-man's Markdown: the same words as `sysct VERB --help`. */
export function renderVerbPage(verb: Verb): string {
  const name = pageName(verb);
  return [
    `# ${name}(1) -- ${verb.summary}`,
    '## SYNOPSIS',
    `\`sysct ${verb.name}\` [*OPTION*...]${verb.args.map(synopsisOf).join('')}`,
    '## DESCRIPTION',
    ...verb.description,
    ...(verb.args.length === 0
      ? []
      : ['## ARGUMENTS', ...verb.args.map((arg) => item(`*${arg.name}*`, arg.description))]),
    '## OPTIONS',
    ...[...verb.options, ...COMMON_OPTIONS].map((option) =>
      item(`\`${option.flags}\``, describe(option)),
    ),
    ...(verb.examples.length === 0
      ? []
      : ['## EXAMPLES', ...verb.examples.map((e) => item(`\`${e.command}\``, e.does))]),
    '## EXIT STATUS',
    'As sysct(1) lists them.',
    '## SEE ALSO',
    'sysct(1), systemctl(1), journalctl(1)',
    '',
  ].join('\n\n');
}

/** sysct(1): all verbs, exit statuses, files. */
export function renderMainPage(verbs: readonly Verb[]): string {
  return [
    '# sysct(1) -- system containers: services run from OCI images under systemd',
    '## SYNOPSIS',
    '`sysct` *VERB* [*OPTION*...] [*ARGUMENT*...]',
    '## DESCRIPTION',
    'sysct installs services from OCI images: it checks an image against the trust policy of the host, stores its files once, and writes native systemd units that start it by runc or in a chroot, ahead of any container daemon. Nothing of sysct is needed at boot.',
    '## VERBS',
    ...verbs.map((verb) => item(`${pageName(verb)}(1)`, verb.summary)),
    '## EXIT STATUS',
    ...EXIT_STATUS_TABLE.map(([status, meaning]) => item(`\`${status}\``, meaning)),
    '## FILES',
    item(
      '`/etc/sysct/sysct.toml`, `/etc/sysct/sysct.toml.d/*.toml`',
      "settings; the vendor's are in /usr/lib/sysct",
    ),
    item('`/etc/containers/policy.json`', 'the trust policy, containers-policy.json(5)'),
    item(
      '`/etc/containers/registries.conf`, `registries.d`, `certs.d`, `auth.json`',
      'registries, signature servers, certificates, logins',
    ),
    item('`/var/lib/sysct`', 'the store'),
    '## OUTPUT FOR PROGRAMS',
    'With `--json` every verb that prints data prints one JSON object: sysct-json(5). `--progress-fd N` reports progress so.',
    '## SEE ALSO',
    'sysct.toml(5), sysct.trust.d(5), sysct-json(5), systemd.unit(5), runc(8), containers-policy.json(5), containers-registries.conf(5)',
    '',
  ].join('\n\n');
}

function item(term: string, description: string): string {
  return `* ${term}:\n  ${description}`;
}

function describe(option: OptionSpec): string {
  const choices = option.choices === undefined ? '' : ` One of ${option.choices.join(', ')}.`;
  const repeat = option.repeatable === true ? ' May be given several times.' : '';
  return `${option.description}.${choices}${repeat}`;
}

function synopsisOf(argument: ArgumentSpec): string {
  switch (argument.arity) {
    case 'one':
      return ` *${argument.name}*`;
    case 'optional':
      return ` [*${argument.name}*]`;
    case 'any':
      return ` [*${argument.name}*...]`;
    case 'some':
      return ` *${argument.name}*...`;
  }
}
