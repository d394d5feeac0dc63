// SPDX-License-Identifier: Apache-2.0
import { type UnitFile, unitSection } from '../systemd/unit-file.ts';
import { escapeSpecifiers } from '../systemd/unit-quote.ts';

/**
 * The unit of an image that ships none. As under podman it has ten seconds to end after a stop, for
 * PID 1 of a container gets no signal that it has no handler for.
 * @param execStart unit file syntax already.
 */
export function defaultService(name: string, image: string, execStart: string): UnitFile {
  return {
    head: [],
    sections: [
      unitSection('Unit', [
        ['Description', escapeSpecifiers(`${name} (system container of ${image})`)],
        ['After', 'network.target'],
      ]),
      unitSection('Service', [
        ['Type', 'exec'],
        ['ExecStart', execStart],
        ['Restart', 'on-failure'],
        ['TimeoutStopSec', '10s'],
      ]),
      unitSection('Install', [['WantedBy', 'multi-user.target']]),
    ],
  };
}
