// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../../base/byte-string.ts';
import { putSharedAttributes, takeAttributes } from './attributes-codec.ts';
import type { ByteReader } from '../disk/byte-reader.ts';
import { type ByteWriter, DIGEST_BYTES } from '../disk/byte-writer.ts';
import { MAX_DEPTH } from './entry-path.ts';
import { giveBack } from '../disk/give-back.ts';
import { MAX_ARENA_TEXT } from './byte-arena.ts';
import type { FileContent } from './inode.ts';
import { type InodeNumber, type NameNumber, ROOT, Tree, type TreeCapacity } from './tree.ts';

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

/** Appends the canonical form of `tree`. */
export function putTree(writer: ByteWriter, tree: Tree): void {
  // Of inodes with a number in the form, one more than it: 0 is for those not met yet.
  const numbers = new Uint32Array(tree.inodeCount);
  let count = 0;
  writer.bytes(HEAD);
  putAttributes(writer, tree, ROOT);
  putChildren(ROOT);
  giveBack(numbers);

  function putChildren(directory: InodeNumber): void {
    for (const name of tree.names(directory)) {
      const inode = tree.inodeOf(name);
      const number = numbers[inode] ?? 0;
      const type = tree.type(inode);
      writer.byte(number === 0 ? KIND[type] : KIND.link);
      putName(writer, tree, name);
      if (number !== 0) {
        writer.varint(number - 1);
        continue;
      }
      putAttributes(writer, tree, inode);
      if (type === 'directory') {
        putChildren(inode);
      } else {
        count += 1;
        numbers[inode] = count;
        putBody(writer, tree, inode);
      }
    }
    writer.byte(KIND.end);
  }
}

function putAttributes(writer: ByteWriter, tree: Tree, inode: InodeNumber): void {
  const [seconds, nanoseconds] = [tree.mtimeSeconds(inode), tree.mtimeNanoseconds(inode)];
  putSharedAttributes(writer, tree.attributes(inode), seconds, nanoseconds);
}

function putBody(writer: ByteWriter, tree: Tree, inode: InodeNumber): void {
  switch (tree.type(inode)) {
    case 'file':
      writer.varint(tree.sizeBytes(inode));
      putDigest(writer, tree, inode);
      return;
    case 'symlink':
      writer.text(tree.target(inode));
      return;
    case 'char':
    case 'block':
      for (const number of tree.deviceNumbers(inode)) writer.varint(number);
      return;
    case 'directory':
    case 'fifo':
      return;
  }
}

// Straight from the columns: a string or a view for each of a million inodes is what the collector would run for.

function putName(writer: ByteWriter, tree: Tree, name: NameNumber): void {
  const length = tree.nameLength(name);
  writer.varint(length);
  const at = writer.reserve(length);
  tree.copyName(name, writer.buffer, at);
}

function putDigest(writer: ByteWriter, tree: Tree, inode: InodeNumber): void {
  const at = writer.reserve(DIGEST_BYTES);
  tree.copyDigest(inode, writer.buffer, at);
}

/** What a form says of a file's content. */
export type ContentIdentity = Pick<FileContent, 'digest' | 'sizeBytes'>;

/**
 * Takes a tree from its canonical form.
 * @param capacity what the tree is said to hold.
 * @param place says where the bytes of a file lie; asked once a file, in the order of the form.
 * @throws StoreError STORE_DAMAGED for anything that {@link putTree} would not write.
 */
export function takeTree(
  reader: ByteReader,
  capacity: TreeCapacity,
  place: (content: ContentIdentity) => FileContent,
): Tree {
  if (!reader.bytes(HEAD.length).equals(HEAD)) throw reader.damaged('it is not a tree');
  const tree = new Tree(capacity, takeAttributes(reader));
  const numbered = new Uint32Array(capacity.inodes);
  let count = 0;
  takeChildren(ROOT, 1);
  return tree;

  function takeChildren(directory: InodeNumber, depth: number): void {
    // Archives cannot bring more: whoever wrote this wants the stack to overflow.
    if (depth > MAX_DEPTH + 1) throw reader.damaged('directories lie too deep');
    let previous: ByteString | undefined;
    for (let kind = reader.byte(); kind !== KIND.end; kind = reader.byte()) {
      const name = reader.text();
      assertName(reader, name, previous);
      previous = name;
      const inode = kind === KIND.link ? takeLink() : takeInode(reader, kind, tree, place);
      tree.setChild(directory, name, inode);
      if (kind === KIND.directory) takeChildren(inode, depth + 1);
      else if (kind !== KIND.link) number(inode);
    }
  }

  function number(inode: InodeNumber): void {
    if (count === numbered.length) throw reader.damaged('it has more inodes than it says');
    numbered[count] = inode;
    count += 1;
  }

  function takeLink(): InodeNumber {
    const inode = numbered.subarray(0, count)[reader.varint()];
    if (inode === undefined) throw reader.damaged('a link leads nowhere');
    return inode;
  }
}

function takeInode(
  reader: ByteReader,
  kind: number,
  tree: Tree,
  place: (content: ContentIdentity) => FileContent,
): InodeNumber {
  const attributes = takeAttributes(reader);
  switch (kind) {
    case KIND.file: {
      const sizeBytes = reader.varint();
      return tree.addFile(attributes, place({ sizeBytes, digest: reader.digest() }));
    }
    case KIND.directory:
      return tree.addDirectory(attributes);
    case KIND.symlink: {
      const target = reader.text();
      if (target.length > MAX_ARENA_TEXT) throw reader.damaged('a symbolic link is too long');
      return tree.addSymlink(attributes, target);
    }
    case KIND.char:
    case KIND.block: {
      const major = reader.varint();
      const type = kind === KIND.char ? 'char' : 'block';
      return tree.addDevice(type, attributes, major, reader.varint());
    }
    case KIND.fifo:
      return tree.addFifo(attributes);
    default:
      throw reader.damaged(`an inode is of the unknown kind ${kind}`);
  }
}

function assertName(reader: ByteReader, name: ByteString, previous: ByteString | undefined): void {
  const impossible = name === '' || name === '.' || name === '..' || /[/\0]/.test(name);
  if (impossible || name.length > MAX_NAME_BYTES) throw reader.damaged('a name cannot be one');
  if (previous !== undefined && name <= previous) throw reader.damaged('names are out of order');
}

const MAX_NAME_BYTES = 255;
