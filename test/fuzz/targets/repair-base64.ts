// SPDX-License-Identifier: Apache-2.0

/** Makes canonical base64 of what looks like it in JSON: texts are checked to be so, and what is in them is of interest. */
export function repairBase64(input: Buffer): Buffer {
  const repaired = input
    .toString('latin1')
    .replace(/"([A-Za-z0-9+/=]{24,})"/g, (whole, text: string) =>
      /^[0-9a-f]+$/.test(text) ? whole : `"${Buffer.from(text, 'base64').toString('base64')}"`,
    );
  return Buffer.from(repaired, 'latin1');
}
