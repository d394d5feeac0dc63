// SPDX-License-Identifier: Apache-2.0
import { assertNever } from '../../base/assert-never.ts';
import type { ByteString } from '../../base/byte-string.ts';
import type { Digest } from '../../base/digest.ts';
import { putAttributes, takeAttributes } from './attributes-codec.ts';
import type { ByteReader } from '../disk/byte-reader.ts';
import type { ByteWriter } from '../disk/byte-writer.ts';
import type { DirectoryInode, FileContent, FileInode, Inode } from './inode.ts';

// The canonical form of a tree: equal trees give equal bytes, wherever the bytes of their files lie.
// The treeID is the sha256 of it, so it can never change; see docs/adr/0022.
//
//     tree       = 'sysct tree 1\n' attributes-of-the-root children
//     children   = { child, names ascending bytewise } byte 0
//     child      = byte kind · text name · body
//     1 file       attributes · varint size · digest
//     2 directory  attributes · children
//     3 symlink    attributes · text target
//     4 char, 5 block  attributes · varint major · varint minor
//     6 fifo       attributes
//     7 link       varint n: another name of the n-th inode (from 0, directories and links not counted)

const HEAD = Buffer.from('sysct tree 1\n', 'latin1');

const KIND = {
  end: 0,
  file: 1,
  directory: 2,
  symlink: 3,
  char: 4,
  block: 5,
  fifo: 6,
  link: 7,
} as const;

/** Digest and size of a file's bytes, wherever they lie. */
export interface ContentIdentity {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What a tree consists of. */
export interface TreeParts {
  /** The regular files, in the order of the form. */
  readonly files: readonly FileInode[];
  readonly inodeCount: number;
  /** Names in directories: an inode has as many as it has hard links. */
  readonly nameCount: number;
}

/** Appends the canonical form of the tree under `root`. */
export function putTree(writer: ByteWriter, root: DirectoryInode): TreeParts {
  const known = new Map<Inode, number>();
  const files: FileInode[] = [];
  let inodeCount = 1;
  let nameCount = 0;
  writer.bytes(HEAD);
  putAttributes(writer, root);
  putChildren(root);
  return { files, inodeCount, nameCount };

  function putChildren(directory: DirectoryInode): void {
    for (const name of [...directory.children.keys()].sort()) {
      const child = directory.children.get(name);
      if (child !== undefined) putChild(name, child);
    }
    writer.byte(KIND.end);
  }

  function putChild(name: ByteString, inode: Inode): void {
    const number = known.get(inode);
    nameCount += 1;
    writer.byte(number === undefined ? KIND[inode.type] : KIND.link);
    writer.text(name);
    if (number !== undefined) {
      writer.varint(number);
      return;
    }
    inodeCount += 1;
    putAttributes(writer, inode);
    if (inode.type === 'directory') {
      putChildren(inode);
      return;
    }
    known.set(inode, known.size);
    if (inode.type === 'file') files.push(inode);
    putBody(writer, inode);
  }
}

function putBody(writer: ByteWriter, inode: Exclude<Inode, DirectoryInode>): void {
  switch (inode.type) {
    case 'file':
      writer.varint(inode.content.sizeBytes);
      writer.digest(inode.content.digest);
      return;
    case 'symlink':
      writer.text(inode.target);
      return;
    case 'char':
    case 'block':
      writer.varint(inode.deviceMajor);
      writer.varint(inode.deviceMinor);
      return;
    case 'fifo':
      return;
    default:
      assertNever(inode);
  }
}

/**
 * Takes a tree from its canonical form.
 * @param place says where the bytes of a file lie; asked once a file, in the order of the form.
 * @throws StoreError STORE_DAMAGED for anything that {@link putTree} would not write.
 */
export function takeTree(
  reader: ByteReader,
  place: (content: ContentIdentity) => FileContent,
): DirectoryInode {
  const numbered: Inode[] = [];
  if (!reader.bytes(HEAD.length).equals(HEAD)) throw reader.damaged('it is not a tree');
  const root: DirectoryInode = {
    type: 'directory',
    ...takeAttributes(reader),
    children: new Map(),
  };
  takeChildren(root);
  return root;

  function takeChildren(directory: DirectoryInode): void {
    let previous: ByteString | undefined;
    for (let kind = reader.byte(); kind !== KIND.end; kind = reader.byte()) {
      const name = reader.text();
      assertName(reader, name, previous);
      previous = name;
      directory.children.set(name, takeChild(kind));
    }
  }

  function takeChild(kind: number): Inode {
    if (kind === KIND.link) {
      const inode = numbered[reader.varint()];
      if (inode === undefined) throw reader.damaged('a link leads nowhere');
      return inode;
    }
    const inode = takeInode(reader, kind, place);
    if (inode.type === 'directory') takeChildren(inode);
    else numbered.push(inode);
    return inode;
  }
}

function takeInode(
  reader: ByteReader,
  kind: number,
  place: (content: ContentIdentity) => FileContent,
): Inode {
  const attributes = takeAttributes(reader);
  switch (kind) {
    case KIND.file: {
      const sizeBytes = reader.varint();
      return {
        type: 'file',
        ...attributes,
        content: place({ sizeBytes, digest: reader.digest() }),
      };
    }
    case KIND.directory:
      return { type: 'directory', ...attributes, children: new Map() };
    case KIND.symlink:
      return { type: 'symlink', ...attributes, target: reader.text() };
    case KIND.char:
    case KIND.block: {
      const deviceMajor = reader.varint();
      const deviceMinor = reader.varint();
      const type = kind === KIND.char ? 'char' : 'block';
      return { type, ...attributes, deviceMajor, deviceMinor };
    }
    case KIND.fifo:
      return { type: 'fifo', ...attributes };
    default:
      throw reader.damaged(`an inode is of the unknown kind ${kind}`);
  }
}

function assertName(reader: ByteReader, name: ByteString, previous: ByteString | undefined): void {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw reader.damaged('a name cannot be one');
  }
  if (previous !== undefined && name <= previous) throw reader.damaged('names are out of order');
}
