// SPDX-License-Identifier: Apache-2.0
import { type ByteString, displayBytes } from '../../base/byte-string.ts';
import { assertNever } from '../../base/assert-never.ts';
import { quote } from '../../base/printable.ts';
import { CheckoutError } from '../disk/checkout-error.ts';
import { type DirectoryInode, type Inode, type InodeAttributes, NO_XATTRS } from '../tree/inode.ts';
import { FILE_TYPES, MAX_FILE_BYTES, MAX_LINK_TARGET_BYTES } from './format.ts';
import { assertName, ImageNode, type NodePayload } from './image-node.ts';
import { isWhiteout, type OverlayXattrs } from './overlay-xattrs.ts';

/**
 * The inodes of the image in its order: breadth first, names bytewise; an inode with several names
 * stands where the first of them does. The root gets a whiteout for each of the 256 directories of
 * objects, because an overlay without data-only layers would show them (Linux before 6.5).
 */
export function imageNodes(tree: DirectoryInode, overlay: OverlayXattrs): ImageNode[] {
  const root = newNode(tree, overlay, 'root');
  const build: Build = { overlay, nodes: [root], known: new Map(), queue: [] };
  build.queue.push({ directory: tree, node: root, parent: root });
  for (const visit of build.queue) fillDirectory(build, visit, visit.node === root);
  return build.nodes;
}

interface Build {
  readonly overlay: OverlayXattrs;
  readonly nodes: ImageNode[];
  readonly known: Map<Inode, ImageNode>;
  /** Directories in the order of the image, appended to while it is walked. */
  readonly queue: Visit[];
}

interface Visit {
  readonly directory: DirectoryInode;
  readonly node: ImageNode;
  readonly parent: ImageNode;
}

function fillDirectory(build: Build, { directory, node, parent }: Visit, isRoot: boolean): void {
  node.nlink = 2;
  const names = sortedNames(directory, isRoot);
  const nodes = names.map((name) => {
    if (name === '.') return node;
    if (name === '..') return parent;
    const inode = directory.children.get(name);
    if (inode === undefined) return numbered(build, whiteout(directory));
    const seen = build.known.get(inode);
    if (seen !== undefined) return linked(seen, name);
    const place = isRoot && OBJECT_DIRECTORY.test(name) ? 'shadowed' : 'elsewhere';
    const child = numbered(build, newNode(inode, build.overlay, place));
    build.known.set(inode, child);
    if (inode.type === 'directory') {
      node.nlink += 1;
      build.queue.push({ directory: inode, node: child, parent: node });
    }
    return child;
  });
  node.payload = { kind: 'entries', entries: { names, nodes } };
}

const OBJECT_DIRECTORY = /^[0-9a-f]{2}$/;
const OBJECT_DIRECTORIES = Array.from({ length: 256 }, (_, value) =>
  value.toString(16).padStart(2, '0'),
);

function sortedNames(directory: DirectoryInode, isRoot: boolean): ByteString[] {
  for (const name of directory.children.keys()) assertName(name);
  const names: string[] = ['.', '..', ...directory.children.keys()];
  if (isRoot) {
    const taken = new Set<string>(names);
    names.push(...OBJECT_DIRECTORIES.filter((name) => !taken.has(name)));
  }
  return names.sort() as ByteString[];
}

function numbered(build: Build, node: ImageNode): ImageNode {
  node.ino = build.nodes.length;
  build.nodes.push(node);
  return node;
}

function linked(node: ImageNode, name: ByteString): ImageNode {
  if (node.type === FILE_TYPES.directory) {
    throw notRepresentable(`directory ${quote(displayBytes(name))} has a second name`);
  }
  node.nlink += 1;
  return node;
}

function newNode(
  inode: Inode,
  overlay: OverlayXattrs,
  place: 'root' | 'shadowed' | 'elsewhere',
): ImageNode {
  const type = isWhiteout(inode) ? FILE_TYPES.file : FILE_TYPES[inode.type];
  return new ImageNode(type, inode, payloadOf(inode), overlay.of(inode, place));
}

function whiteout(root: InodeAttributes): ImageNode {
  const attributes = {
    mode: 0o644,
    uid: root.uid,
    gid: root.gid,
    mtimeSeconds: root.mtimeSeconds,
    mtimeNanoseconds: root.mtimeNanoseconds,
    xattrs: NO_XATTRS,
  };
  return new ImageNode(FILE_TYPES.char, attributes, { kind: 'device', encoded: 0 }, []);
}

function payloadOf(inode: Inode): NodePayload {
  switch (inode.type) {
    case 'file':
      return filePayload(inode.content);
    case 'directory':
    case 'fifo':
      return NOTHING;
    case 'symlink':
      return { kind: 'target', target: checkedTarget(inode.target) };
    case 'char':
    case 'block':
      return isWhiteout(inode)
        ? NOTHING
        : { kind: 'device', encoded: encodeDevice(inode.deviceMajor, inode.deviceMinor) };
    default:
      return assertNever(inode);
  }
}

const NOTHING: NodePayload = { kind: 'none' };

function filePayload(content: Extract<Inode, { type: 'file' }>['content']): NodePayload {
  if (content.sizeBytes === 0) return NOTHING;
  if (content.sizeBytes > MAX_FILE_BYTES) {
    throw notRepresentable(`a file of ${content.sizeBytes} bytes is too long`);
  }
  return content;
}

function checkedTarget(target: ByteString): ByteString {
  if (target.length === 0 || target.length > MAX_LINK_TARGET_BYTES || target.includes('\0')) {
    throw notRepresentable(`a symbolic link to ${quote(displayBytes(target))}`);
  }
  return target;
}

// Linux' 32-bit encoding: 12 bits of major, 20 of minor.
function encodeDevice(major: number, minor: number): number {
  if (major >= 1 << 12 || minor >= 1 << 20) throw notRepresentable(`device ${major}:${minor}`);
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

function notRepresentable(what: string): CheckoutError {
  return new CheckoutError('TREE_NOT_REPRESENTABLE', `writing an EROFS image: ${what}`);
}
