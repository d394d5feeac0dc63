// SPDX-License-Identifier: Apache-2.0
import type { InstallPlan } from '../../container/plan/install-plan.ts';
import type { HostChange } from '../../container/record/host-change.ts';
import { printable } from '../../base/printable.ts';
import { describeRule, describeVerdict } from '../../trust/verdict/describe-verdict.ts';

/** What `install --display` shows: all texts that would be written, and what the container may do. */
export async function renderPlan(plan: InstallPlan): Promise<string> {
  const { generation } = plan;
  const sections: string[] = [
    heading(`container ${generation.name}, generation ${generation.number}`),
    `image      ${generation.image.source}@${generation.image.manifestDigest}`,
    `trust      ${describeVerdict(generation.verdict)}; ${describeRule(generation.verdict.rule)}`,
    `launcher   ${generation.launcher}${generation.runtime === undefined ? '' : ` (${generation.runtime})`}`,
    `root       ${generation.checkout.method}: ${generation.checkout.reason}`,
    `command    ${generation.command.map(printable).join(' ')}`,
    ...plan.notes.map((note) => `note       ${printable(note)}`),
    heading('privileges'),
    ...privilegeLines(plan),
    heading('values'),
    ...Object.entries(generation.values).map(
      ([name, { value, from }]) => `${name}=${printable(value)}  (${from})`,
    ),
    heading('host'),
    ...plan.changes.map(changeLine),
    ...plan.laidBeside.map(
      ({ path, beside }) =>
        `keep       ${printable(path)} (it differs; the image's version is ${printable(beside)})`,
    ),
    ...generation.stateDirectories.map((path) => `state      ${printable(path)}`),
  ];
  for (const [name, text] of plan.bundleFiles) sections.push(heading(name), text.trimEnd());
  for (const change of plan.changes) {
    if (change.kind !== 'file' || !isText(change)) continue;
    const content = await plan.contents.get(change.path)?.();
    sections.push(heading(change.path), (content?.toString('utf8') ?? '').trimEnd());
  }
  return `${sections.join('\n')}\n`;
}

/** The same as JSON; `version` counts incompatible changes. */
export async function planToJson(plan: InstallPlan): Promise<unknown> {
  const files = await Promise.all(
    plan.changes.filter(isText).map(async ({ path }) => {
      const content = await plan.contents.get(path)?.();
      return [path, content?.toString('utf8') ?? ''] as const;
    }),
  );
  return {
    version: 1,
    generation: plan.generation,
    privileges: plan.privileges,
    notes: plan.notes,
    laidBeside: plan.laidBeside,
    bundle: Object.fromEntries(plan.bundleFiles),
    texts: Object.fromEntries(files),
  };
}

function isText(change: HostChange): boolean {
  return change.kind === 'file' && ['unit', 'drop-in', 'tmpfiles'].includes(change.role);
}

function heading(text: string): string {
  return `\n── ${printable(text)} ──`;
}

function changeLine(change: HostChange): string {
  switch (change.kind) {
    case 'directory':
      return `directory  ${printable(change.path)} ${octal(change.mode)} ${change.uid}:${change.gid}`;
    case 'file':
      return `file       ${printable(change.path)} ${octal(change.mode)} ${change.uid}:${change.gid}`;
    case 'symlink':
      return `symlink    ${printable(change.path)} -> ${printable(change.target)}`;
  }
}

function privilegeLines({ privileges }: InstallPlan): readonly string[] {
  if (privileges === undefined) return ['none: the image has no service'];
  const list = (items: readonly string[]): string =>
    items.length === 0 ? 'none' : items.join(' ');
  return [
    `user           ${privileges.uid}:${privileges.gid}${privileges.noNewPrivileges ? ', no new privileges' : ''}`,
    `capabilities   ${list(privileges.capabilities)}`,
    `devices        ${list(privileges.devices.map((device) => `[${printable(device)}]`))}`,
    `shared         ${list(privileges.sharedNamespaces.map(printable))}`,
    ...privileges.hostMounts.map(
      ({ source, destination, writable }) =>
        `host mount     ${printable(source)} -> ${printable(destination)} ${writable ? 'rw' : 'ro'}`,
    ),
    ...privileges.hostCommands.map((command) => `runs on host   ${printable(command)}`),
  ];
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
