// SPDX-License-Identifier: Apache-2.0
import { type Node, parseTree } from 'jsonc-parser';
import type { JsonValue } from './strict-json.ts';

/**
 * The document with the member at `path` set to `value`, or taken out where that is undefined. Every
 * other byte stays as it was; what is new is indented as its neighbours are. Objects that are missing
 * on the way are made; taking out what is not there changes nothing.
 *
 * @param text what {@link ./strict-json.ts} parses without complaint.
 * @param path keys from the root; every value on the way that exists is an object.
 */
export function editJson(
  text: string,
  path: readonly string[],
  value: JsonValue | undefined,
): string {
  const root = parseTree(text);
  const last = path.at(-1);
  if (root === undefined || last === undefined) throw new Error('nothing to edit');
  let object = root;
  for (const [depth, key] of path.slice(0, -1).entries()) {
    const child = memberOf(object, key)?.children?.[1];
    if (child === undefined) {
      if (value === undefined) return text;
      const rest = path.slice(depth + 1);
      const nested = rest.reduceRight((inner: JsonValue, name) => ({ [name]: inner }), value);
      return insert(text, object, key, nested);
    }
    object = child;
  }
  const member = memberOf(object, last);
  if (value === undefined) return member === undefined ? text : remove(text, object, member);
  const old = member?.children?.[1];
  if (member === undefined || old === undefined) return insert(text, object, last, value);
  const rendered = isOnOwnLine(text, member)
    ? render(text, value, indentationAt(text, member.offset))
    : JSON.stringify(value);
  return splice(text, old.offset, endOf(old), rendered);
}

function memberOf(object: Node, key: string): Node | undefined {
  return object.children?.find((member) => member.children?.[0]?.value === key);
}

function insert(text: string, object: Node, key: string, value: JsonValue): string {
  const last = object.children?.at(-1);
  const name = JSON.stringify(key);
  if (last !== undefined && !isOnOwnLine(text, last))
    return splice(text, endOf(last), endOf(last), `, ${name}: ${JSON.stringify(value)}`);
  const eol = eolOf(text);
  if (last !== undefined) {
    const indent = indentationAt(text, last.offset);
    const member = `,${eol}${indent}${name}: ${render(text, value, indent)}`;
    return splice(text, endOf(last), endOf(last), member);
  }
  const outer = indentationAt(text, object.offset);
  const indent = `${outer}${unitOf(text)}`;
  const member = `{${eol}${indent}${name}: ${render(text, value, indent)}${eol}${outer}}`;
  return splice(text, object.offset, endOf(object), member);
}

function remove(text: string, object: Node, member: Node): string {
  const members = object.children ?? [];
  const at = members.indexOf(member);
  const next = members[at + 1];
  if (next !== undefined) return splice(text, member.offset, next.offset, '');
  const before = members[at - 1];
  return before === undefined
    ? splice(text, object.offset, endOf(object), '{}')
    : splice(text, endOf(before), endOf(member), '');
}

function render(text: string, value: JsonValue, indent: string): string {
  return JSON.stringify(value, undefined, unitOf(text)).replaceAll('\n', `${eolOf(text)}${indent}`);
}

function isOnOwnLine(text: string, member: Node): boolean {
  const before = text.slice(0, member.offset);
  return before.includes('\n') && /^[ \t]*$/.test(before.slice(before.lastIndexOf('\n') + 1));
}

/** The white space that the line of this offset begins with. */
function indentationAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

// What the first indented line begins with; four spaces, as the distributions' own file has, without one.
function unitOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? '    ';
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function endOf(node: Node): number {
  return node.offset + node.length;
}

function splice(text: string, start: number, end: number, by: string): string {
  return `${text.slice(0, start)}${by}${text.slice(end)}`;
}
