// SPDX-License-Identifier: Apache-2.0

/** What a text of a certificate or a provenance must be: itself, or what a glob matches whole. */
export type TextPattern =
  | { readonly kind: 'exact'; readonly text: string }
  | { readonly kind: 'glob'; readonly glob: string };

/**
 * Whether the whole text fits; case counts. In a glob `*` stands for anything without `/`, `**` for anything, and
 * every other character for itself: it is no regular expression.
 */
export function matchesText(pattern: TextPattern, text: string): boolean {
  return pattern.kind === 'exact' ? pattern.text === text : matchesGlob(pattern.glob, text);
}

/** Whether a glob says nothing: it matches every text that could be there. */
export function matchesEverything(glob: string): boolean {
  return /^\*+$/.test(glob);
}

/** For messages: `"x"`, or `"x*" (a pattern)`. */
export function describePattern(pattern: TextPattern): string {
  return pattern.kind === 'exact'
    ? JSON.stringify(pattern.text)
    : `${JSON.stringify(pattern.glob)} (a pattern)`;
}

/** Nothing that is compared is longer; what is, fits nothing. */
const MAX_LENGTH = 4096;

// Each part of the glob is tried at every place that those before it lead to: time is bounded by the product of the lengths,
// whoever wrote the text.
function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.match(/\*+|[^*]/gsu) ?? [];
  if (text.length > MAX_LENGTH) return false;
  const characters = [...text];
  let places = new Set([0]);
  for (const part of parts) {
    const next = new Set<number>();
    for (const place of places) {
      if (!part.startsWith('*')) {
        if (characters[place] === part) next.add(place + 1);
        continue;
      }
      for (let end = place; end <= characters.length && !next.has(end); end += 1) {
        next.add(end);
        if (part.length === 1 && characters[end] === '/') break;
      }
    }
    places = next;
  }
  return places.has(characters.length);
}
