// SPDX-License-Identifier: Apache-2.0
import { quote } from '../base/printable.ts';
import type { RuntimeUser } from '../oci/runtime-config.ts';
import { LaunchError } from './launch-error.ts';

/** The parts of an image's root that say who its users are. */
export interface AccountFiles {
  /** Text of /etc/passwd and /etc/group; undefined when the image has none. */
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

export interface ImageUser {
  readonly user: RuntimeUser;
  /** The home directory that passwd names; `/` when it names none. */
  readonly home: string;
}

// The kernel's (uid_t)-1 means "leave it", so it is nobody's id.
const MAX_ID = 2 ** 32 - 2;

/**
 * Who `User` of an image's config is (image-spec v1.1.1 config.md §Properties): `user`, `uid`,
 * `user:group`, `uid:gid`, `uid:group`, `user:gid`; empty for root. Without a group the primary group
 * of passwd counts (0 for numbers that are not there), and the groups that list the user are added.
 *
 * @throws LaunchError USER_NOT_FOUND for names that the image does not know and numbers out of range.
 */
export function resolveImageUser(text: string, files: AccountFiles): ImageUser {
  const colon = text.indexOf(':');
  const userText = colon === -1 ? text : text.slice(0, colon);
  const groupText = colon === -1 ? '' : text.slice(colon + 1);
  const account = findAccount(userText === '' ? '0' : userText, files.passwd ?? '');
  if (account === undefined) throw notFound(text, 'user', userText, '/etc/passwd');
  const { uid, home } = account;
  if (groupText !== '') {
    const gid = findGroup(groupText, files.group ?? '');
    if (gid === undefined) throw notFound(text, 'group', groupText, '/etc/group');
    return { user: { uid, gid }, home };
  }
  const additionalGids = groupsOf(account.name, files.group ?? '').filter(
    (gid) => gid !== account.gid,
  );
  const user = { uid, gid: account.gid };
  return { user: additionalGids.length === 0 ? user : { ...user, additionalGids }, home };
}

interface Account {
  /** Empty for a number that passwd does not list. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

function findAccount(wanted: string, passwd: string): Account | undefined {
  const number = idOf(wanted);
  for (const [name = '', , uidText = '', gidText = '', , home = ''] of records(passwd)) {
    const uid = idOf(uidText);
    const gid = idOf(gidText);
    if (uid === undefined || gid === undefined) continue;
    // A user may be called by a number: the name counts first, as useradd and podman have it.
    if (name === wanted || uid === number) {
      return { name, uid, gid, home: home.startsWith('/') ? home : '/' };
    }
  }
  return number === undefined ? undefined : { name: '', uid: number, gid: 0, home: '/' };
}

function findGroup(wanted: string, group: string): number | undefined {
  const entry = records(group).find(([name]) => name === wanted);
  return idOf(entry?.[2] ?? '') ?? idOf(wanted);
}

function groupsOf(user: string, group: string): readonly number[] {
  if (user === '') return [];
  return records(group).flatMap(([, , gidText = '', members = '']) => {
    const gid = idOf(gidText);
    return gid !== undefined && members.split(',').includes(user) ? [gid] : [];
  });
}

function records(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':').map((field) => field.trim()));
}

function idOf(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

function notFound(user: string, kind: string, wanted: string, file: string): LaunchError {
  return new LaunchError(
    'USER_NOT_FOUND',
    `resolving the image's user ${quote(user)}: ${kind} ${quote(wanted)} is not in the image's ${file}`,
    { hint: 'the image has to name the user by number, or to list it' },
  );
}
