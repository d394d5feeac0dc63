// SPDX-License-Identifier: Apache-2.0
import { printable } from '../../base/printable.ts';
import { formatSize } from '../../base/size.ts';
import { messageOf, SysctError } from '../../base/sysct-error.ts';
import type { CheckAllReport } from '../../container/check/check-all.ts';
import type { RepairReport } from '../../container/check/repair-all.ts';
import { type Finding, isDamage } from '../../store/check/finding.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { findingLine, type ReportedFinding, reportFinding } from './render-findings.ts';

/** What `sysct fsck` says at its end. */
export class FsckResult {
  readonly #before: CheckAllReport;
  readonly #after: CheckAllReport;
  readonly #repair: RepairReport | undefined;

  /** @param repair where one was asked for and needed. */
  constructor(before: CheckAllReport, repair: RepairReport | undefined) {
    this.#before = before;
    this.#after = repair?.after ?? before;
    this.#repair = repair;
  }

  /** 0 when nothing is damaged now; 6 when only registries were in the way of repairing it all; else 8. */
  get exitCode(): number {
    const left = this.#left();
    if (left.length === 0) return EXIT.done;
    const failures = left.map((finding) => this.#failureOf(finding));
    const onlyNetwork = failures.every(
      (error) => error !== undefined && exitCodeOf(error) === EXIT.network,
    );
    return onlyNetwork ? EXIT.network : EXIT.damaged;
  }

  toJson(): object {
    const { files, readBytes } = this.#before;
    return {
      version: 1,
      damaged: this.#left().length,
      files,
      readBytes,
      findings: this.#after.findings.map((finding) => ({
        ...this.#reported(finding),
        notRepaired: this.#reason(finding)?.message,
      })),
      repaired: this.#repair?.repaired.map((finding) => this.#reported(finding)),
    };
  }

  toText(): string {
    const lines = (this.#repair?.repaired ?? []).map(
      (finding) => `repaired: ${findingLine(this.#reported(finding))}`,
    );
    for (const finding of this.#after.findings) {
      lines.push(findingLine(this.#reported(finding)));
      const reason = this.#reason(finding);
      if (reason === undefined) continue;
      const hint = reason.hint === undefined ? '' : `; ${reason.hint}`;
      lines.push(printable(`  not repaired: ${reason.message}${hint}`));
    }
    const { files, readBytes } = this.#before;
    lines.push(`${files} files, ${formatSize(readBytes)} read: ${this.#summary()}`);
    return lines.map((line) => `${line}\n`).join('');
  }

  #summary(): string {
    const left = this.#left().length;
    const repaired = this.#repair?.repaired.length ?? 0;
    const now = left === 0 ? 'no damage' : `${left} damaged`;
    return repaired === 0 ? now : `${repaired} repaired, ${left === 0 ? 'no damage left' : now}`;
  }

  #left(): readonly Finding[] {
    return this.#after.findings.filter(isDamage);
  }

  #reported(finding: Finding): ReportedFinding {
    return reportFinding(finding, this.#after.refs, this.#after.users);
  }

  #failureOf({ kind, name }: Finding): unknown {
    return this.#repair?.failures.get(`${kind} ${name}`);
  }

  #reason(finding: Finding): { readonly message: string; readonly hint?: string } | undefined {
    const error = this.#failureOf(finding);
    if (error === undefined || !isDamage(finding)) return undefined;
    const hint = error instanceof SysctError ? error.hint : undefined;
    return { message: messageOf(error), ...(hint === undefined ? {} : { hint }) };
  }
}
