// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../base/printable.ts';
import { formatSize } from '../../base/size.ts';
import type { VerifiedContainer } from '../../container/check/verify-container.ts';
import type { RemoteState } from '../../image/ask-remote.ts';
import { isDamage } from '../../store/check/finding.ts';
import { describeVerdict } from '../../trust/verdict/describe-verdict.ts';
import { EXIT } from './exit-code.ts';
import { findingLine, reportFinding } from './render-findings.ts';
import { withDigest } from './with-digest.ts';

/** A container whose records cannot be read. */
export interface BrokenContainer {
  readonly name: string;
  readonly problem: string;
}

/** What `sysct verify` says of installed containers. */
export class VerificationResult {
  readonly #containers: readonly (VerifiedContainer | BrokenContainer)[];

  constructor(containers: readonly (VerifiedContainer | BrokenContainer)[]) {
    this.#containers = containers;
  }

  /** 5 where one is refused today; else 8 where something is damaged, 6 where a registry did not answer, 10 where a tag moved. */
  get exitCode(): number {
    const codes = this.#containers.map(codeOf);
    return WORST_FIRST.find((code) => codes.includes(code)) ?? EXIT.done;
  }

  toJson(): object {
    return {
      version: 1,
      containers: this.#containers.map((container) =>
        isBroken(container)
          ? container
          : { ...container, findings: container.findings.map((each) => reported(container, each)) },
      ),
    };
  }

  toText(): string {
    return this.#containers.flatMap(linesOf).join('');
  }
}

const WORST_FIRST = [EXIT.refused, EXIT.damaged, EXIT.network, EXIT.changesPending] as const;

function isBroken(container: VerifiedContainer | BrokenContainer): container is BrokenContainer {
  return 'problem' in container;
}

function codeOf(container: VerifiedContainer | BrokenContainer): number {
  if (isBroken(container)) return EXIT.damaged;
  const { verdict, findings, remote } = container;
  if (verdict?.allowed === false) return EXIT.refused;
  if (verdict === undefined || findings.some(isDamage)) return EXIT.damaged;
  switch (remote?.state) {
    case 'unreachable':
      return EXIT.network;
    case 'moved':
    case 'gone':
      return EXIT.changesPending;
    case 'unchanged':
    case 'not-asked':
    case undefined:
      return EXIT.done;
  }
}

function linesOf(container: VerifiedContainer | BrokenContainer): readonly string[] {
  if (isBroken(container)) {
    return [`${container.name}\n`, indented(`broken: ${container.problem}`)];
  }
  const { name, generation, source, manifestDigest } = container;
  return [
    printable(`${name}, generation ${generation}: ${withDigest(source, manifestDigest)}`) + '\n',
    ...verdictLines(container),
    ...integrityLines(container),
    ...(container.remote === undefined ? [] : [indented(remoteLine(container.remote))]),
  ];
}

function verdictLines({ verdict, unjudged }: VerifiedContainer): readonly string[] {
  if (verdict === undefined) return [indented(`cannot be judged: ${unjudged}`)];
  if (verdict.allowed) return [indented(`admitted: ${describeVerdict(verdict)}`)];
  const hint = verdict.hint === undefined ? [] : [indented(`hint: ${verdict.hint}`)];
  return [...verdict.reasons.map((reason) => indented(`refused: ${reason}`)), ...hint];
}

function integrityLines(container: VerifiedContainer): readonly string[] {
  const { findings, files, readBytes } = container;
  if (findings.length > 0) {
    const damaged = findings.map((each) => `damaged: ${findingLine(reported(container, each))}`);
    return [...damaged, 'hint: sysct fsck --repair'].map(indented);
  }
  return [indented(`whole: ${files} files, ${formatSize(readBytes)} read`)];
}

function reported(
  { name, generation }: VerifiedContainer,
  finding: VerifiedContainer['findings'][number],
): ReturnType<typeof reportFinding> {
  const users = finding.needs.map(({ treeId }) => ({ name, number: generation, treeId }));
  return reportFinding(finding, [], users);
}

function remoteLine(remote: RemoteState): string {
  switch (remote.state) {
    case 'unchanged':
      return 'registry: the tag is where it was';
    case 'moved':
      return `registry: the tag has moved to ${remote.manifestDigest}`;
    case 'gone':
      return `registry: gone: ${remote.reason}`;
    case 'unreachable':
      return `registry: not reached: ${remote.reason}`;
    case 'not-asked':
      return `registry: not asked: ${remote.reason}`;
  }
}

function indented(text: string): string {
  return `  ${printable(text)}\n`;
}
