// SPDX-License-Identifier: Apache-2.0
import {
  resolveValues,
  SYSTEM_DIRECTORIES,
  templateValues,
} from '../../../src/container/package/variables.ts';
import type { PackageManifest } from '../../../src/container/package/package-manifest.ts';
import type { TemplateValues } from '../../../src/template/render-template.ts';

/** The values that installing a package as `name` would find on an ordinary host. */
export function packageValues(
  name: string,
  manifest: PackageManifest,
  set: Readonly<Record<string, string>> = {},
): TemplateValues {
  const { values } = resolveValues({
    forced: {
      DESTDIR: `/var/lib/sysct/containers/${name}/1`,
      NAME: name,
      EXEC_START: `/bin/true run ${name} 100%%`,
      EXEC_STOP: '',
      EXEC_STARTPRE: '',
      EXEC_STOPPOST: '',
      HOST_UID: '0',
      HOST_GID: '0',
      IMAGE_NAME: `registry.example/${name}:1`,
      IMAGE_ID: 'ab'.repeat(32),
    },
    set: new Map(Object.entries(set)),
    stored: {},
    host: {
      ...SYSTEM_DIRECTORIES,
      RUNTIME: '/usr/bin/runc',
      ATOMIC: '/usr/bin/sysct',
      capabilities: ['CAP_CHOWN', 'CAP_KILL'],
      newUuid: '3e6a2a36-0000-4000-8000-000000000000',
    },
    defaults: manifest.defaultValues,
  });
  return templateValues(values);
}
