// SPDX-License-Identifier: Apache-2.0
// Small images that really run: busybox, a script, and what the test puts under /exports.
import { readFileSync } from 'node:fs';
import type { SmallEntry, SmallImage } from './small-image.ts';
import { writeSmallImage } from './small-image.ts';

export interface BusyboxImageSpec {
  /** Shell text that runs as `/run.sh`, the entrypoint. */
  readonly script: string;
  /** Content by path below /exports: `manifest.json`, `service.template`, `hostfs/etc/x.conf`… */
  readonly exports?: Readonly<Record<string, string>>;
  /** Beside the entrypoint. */
  readonly config?: Record<string, unknown>;
}

/** Enough for the scripts of tests. */
const APPLETS = [
  ...['awk', 'cat', 'chmod', 'cp', 'cut', 'date', 'env', 'false', 'grep', 'head', 'hostname'],
  ...['httpd', 'id', 'kill', 'ls', 'mkdir', 'mount', 'mv', 'nc', 'ps', 'pwd', 'rm', 'sed', 'sh'],
  ...['sleep', 'stat', 'tail', 'test', 'touch', 'tr', 'true', 'uname', 'wc'],
];

/** Writes an OCI layout with one tag. */
export async function writeBusyboxImage(
  layoutDir: string,
  tag: string,
  spec: BusyboxImageSpec,
): Promise<SmallImage> {
  const exported = Object.entries(spec.exports ?? {});
  const entries: readonly SmallEntry[] = [
    { name: 'bin/busybox', mode: 0o755, content: readFileSync('/bin/busybox') },
    ...APPLETS.map((applet) => ({
      name: `bin/${applet}`,
      type: 'symlink' as const,
      linkname: 'busybox',
    })),
    { name: 'etc/passwd', content: 'root:x:0:0::/:/bin/sh\nweb:x:1234:1235::/data:/bin/sh\n' },
    { name: 'etc/group', content: 'root:x:0:\nweb:x:1235:\n' },
    { name: 'run.sh', mode: 0o755, content: `#!/bin/sh\n${spec.script}` },
    ...exported.map(([path, content]) => ({ name: `exports/${path}`, content })),
  ];
  const [image] = await writeSmallImage(layoutDir, tag, {
    layers: [entries],
    config: { Entrypoint: ['/run.sh'], Env: ['PATH=/bin'], ...spec.config },
  });
  if (image === undefined) throw new Error('no image was written');
  return image;
}
