// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../base/digest.ts';
import type { Finding, SubjectKind, TreeNeed } from './finding.ts';

/** Findings as they come in, one for each thing: what several checks say of it is put together. */
export class FindingList {
  readonly #byName = new Map<string, Finding>();

  add(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const key = `${finding.kind} ${finding.name}`;
      const known = this.#byName.get(key);
      this.#byName.set(key, known === undefined ? finding : together(known, finding));
    }
  }

  /** In the order in which they were first met. */
  all(): readonly Finding[] {
    return [...this.#byName.values()];
  }

  isDamaged(kind: SubjectKind, name: string): boolean {
    return this.#byName.get(`${kind} ${name}`)?.problem === 'damaged';
  }

  /** The names of the damaged things of one kind. */
  damaged(kind: SubjectKind): readonly Digest[] {
    return this.all()
      .filter((finding) => finding.kind === kind && finding.problem === 'damaged')
      .map(({ name }) => name as Digest);
  }
}

/** Damage outweighs a wrong mode; what was said first is kept otherwise. */
function together(first: Finding, second: Finding): Finding {
  const main = first.problem === 'mode' && second.problem !== 'mode' ? second : first;
  return { ...main, needs: mergedNeeds([...first.needs, ...second.needs]) };
}

function mergedNeeds(needs: readonly TreeNeed[]): readonly TreeNeed[] {
  const paths = new Map<Digest, Set<string>>();
  for (const need of needs) {
    const known = paths.get(need.treeId) ?? new Set();
    for (const path of need.paths) known.add(path);
    paths.set(need.treeId, known);
  }
  return [...paths].map(([treeId, concerned]) => ({ treeId, paths: [...concerned] }));
}
