// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError, Option } from 'commander';
import { COMMON_OPTIONS, Context } from './context/context.ts';
import { EXIT, exitCodeOf } from './output/exit-code.ts';
import { InterruptedError } from './interrupted-error.ts';
import { OptionValues } from './options/option-values.ts';
import { renderError } from './output/report-error.ts';
import type { OptionSpec } from './options/option-spec.ts';
import type { Verb } from './context/verb.ts';
import { VERB_GROUPS, VERBS } from './verbs/verbs.ts';
import { VERSION } from './output/version.ts';

/** Parses the command line, runs its verb, reports what failed. Resolves to the exit status. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = buildProgram(async (verb, args, options) => {
    exitCode = await runVerb(verb, args, options);
  }, argv[0]);
  try {
    await program.parseAsync(argv.map(spellOut), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

// As podman has it: without `=` the option stands alone, and what follows is not its value.
function spellOut(argument: string): string {
  return argument === '--tls-verify' ? '--tls-verify=true' : argument;
}

type Run = (verb: Verb, args: readonly string[], options: OptionValues) => Promise<void>;

/**
 * The command line as commander sees it; `run` is called with the verb that was chosen.
 * @param chosen the verb, where it is known: the options of the others are then not set up, which is
 *   half of the start of a small verb.
 */
export function buildProgram(run: Run, chosen?: string): Command {
  const program = new Command('sysct')
    .description('Manage system containers: services run from OCI images under systemd')
    .version(`sysct version ${VERSION}`, '-v, --version', 'print the version')
    .helpCommand('help [VERB]', 'show the help of a verb')
    .configureOutput({
      outputError: (text, write) => write(`sysct: ${oneLine(text)}`),
    })
    .showHelpAfterError('hint: sysct --help lists the verbs and options')
    .enablePositionalOptions()
    .exitOverride();
  const isKnown = VERBS.some((verb) => firstWord(verb) === chosen);
  for (const verb of VERBS) {
    const first = firstWord(verb);
    const built = program.commands.find((command) => command.name() === first);
    if (isKnown && first !== chosen) {
      if (built === undefined) program.addCommand(new Command(first));
    } else if (first === verb.name) {
      program.addCommand(buildCommand(verb, run));
    } else {
      const group = built ?? buildGroup(first);
      if (built === undefined) program.addCommand(group);
      group.addCommand(buildCommand(verb, run));
    }
  }
  return program;
}

function firstWord(verb: Verb): string {
  return verb.name.split(' ')[0] ?? '';
}

function buildGroup(name: string): Command {
  const group = VERB_GROUPS.find((candidate) => candidate.name === name);
  return configured(new Command(name), name)
    .summary(group?.summary ?? '')
    .description(group?.description.join('\n\n') ?? '')
    .helpCommand(false);
}

function buildCommand(verb: Verb, run: Run): Command {
  const command = configured(new Command(verb.name.split(' ').at(-1)), verb.name)
    .summary(verb.summary)
    .description(verb.description.join('\n\n'));
  for (const argument of verb.args) {
    const dots = argument.arity === 'any' || argument.arity === 'some' ? '...' : '';
    const optional = argument.arity === 'optional' || argument.arity === 'any';
    const shown = `${argument.name}${dots}`;
    command.argument(optional ? `[${shown}]` : `<${shown}>`, argument.description);
  }
  for (const option of [...verb.options, ...COMMON_OPTIONS]) command.addOption(buildOption(option));
  if (verb.passThrough === true) command.passThroughOptions();
  if (verb.examples.length > 0) command.addHelpText('after', helpExamples(verb));
  return command.action(async () => {
    await run(verb, command.args, new OptionValues(command.opts()));
  });
}

function configured(command: Command, name: string): Command {
  return command
    .showHelpAfterError(`hint: sysct ${name} --help shows its options`)
    .configureOutput({
      outputError: (text, write) => write(`sysct: ${oneLine(text)}`),
    })
    .exitOverride();
}

/** What commander says is wrong: it has a guess on a line of its own. */
function oneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .replace(/\n\((Did you mean .*)\)/, (_, guess: string) => `; ${guess.toLowerCase()}`);
}

function buildOption(spec: OptionSpec): Option {
  const option = new Option(
    spec.flags.replace(/ ([A-Z][A-Z=_:/-]*)$/, ' <$1>').replace(/\[=([A-Z]+)\]$/, ' [$1]'),
  );
  option.description = spec.description;
  if (spec.choices !== undefined) option.choices(spec.choices);
  if (spec.repeatable === true) {
    option.argParser((value: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      value,
    ]);
  }
  return option;
}

function helpExamples(verb: Verb): string {
  const lines = verb.examples.map((example) => `  ${example.command}\n      ${example.does}`);
  return `\nExamples:\n${lines.join('\n')}`;
}

const NOTHING_CHANGED = 'nothing was changed';

async function runVerb(
  verb: Verb,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = (name: NodeJS.Signals): void =>
    interrupt.abort(new InterruptedError(verb.name, name, verb.interrupted ?? NOTHING_CHANGED));
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onSignal);
  try {
    const context = await Context.create(options, interrupt.signal);
    return await verb.run(context, args, options);
  } catch (error) {
    const reason: unknown = interrupt.signal.aborted ? interrupt.signal.reason : error;
    process.stderr.write(renderError(reason, options.flag('debug')));
    return reason instanceof InterruptedError ? reason.exitCode : exitCodeOf(reason);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    process.off('SIGHUP', onSignal);
  }
}
