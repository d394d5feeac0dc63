// SPDX-License-Identifier: Apache-2.0
// What tests make of Debian's archive. A fresh machine makes it before the first test: mmdebstrap takes both cores,
// and hosts that booted beside it have timed out.
import { debianRootImage, debianRootTar } from './debian-root.ts';
import { buildImage } from '../image/image-builder.ts';
import { LAUNCH_HOST_PACKAGES } from './launch-host-packages.ts';
import { HOST_PACKAGES } from './nspawn-host.ts';
import { VM_PACKAGES } from './vm-host.ts';
import { vmRoot } from './vm-root.ts';

const MAKE: readonly (() => Promise<unknown>)[] = [
  () => debianRootImage({ release: 'bookworm', packages: HOST_PACKAGES }),
  () => debianRootImage({ release: 'trixie', packages: HOST_PACKAGES }),
  () => debianRootImage({ release: 'bookworm', packages: LAUNCH_HOST_PACKAGES }),
  () => vmRoot('bookworm', VM_PACKAGES),
  () => vmRoot('trixie', VM_PACKAGES),
  () => buildImage('etcd'),
  () => buildImage('apache'),
  () => debianRootTar({ release: 'bookworm', packages: [] }),
  () => debianRootTar({ release: 'trixie', packages: ['skopeo'] }),
];

/** Makes what is not there yet, two at once. What cannot be made is told by the tests that need it. */
export async function makeRoots(): Promise<void> {
  const left = [...MAKE];
  const work = async (): Promise<void> => {
    for (let make = left.shift(); make !== undefined; make = left.shift()) {
      // A mirror may be out of reach for a moment.
      await make()
        .catch(make)
        .catch(() => undefined);
    }
  };
  await Promise.all([work(), work()]);
}
