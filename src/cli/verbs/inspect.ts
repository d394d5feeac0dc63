// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, parseStrictJsonValue } from '../../base/strict-json.ts';
import type { Digest } from '../../base/digest.ts';
import type { Store } from '../../store/store.ts';
import type { StoreReader } from '../../store/reader/store-reader.ts';
import { nameOf } from '../../store/ref/image-name.ts';
import type { RefRecord } from '../../store/ref/ref-record.ts';
import { EXIT } from '../output/exit-code.ts';
import type { Context } from '../context/context.ts';
import type { Verb } from '../context/verb.ts';

export const inspect: Verb = {
  name: 'inspect',
  summary: 'Print everything known about a container or an image',
  description: [
    'Prints JSON: of a container its current generation with all values and where they came from, host files, units, verdict and checkout; of an image its record, what proves each of its layers, config and verdict. A name that is both means the container; --image says otherwise.',
  ],
  args: [
    {
      name: 'NAME',
      description: 'an installed container, or an image by name or ID',
      arity: 'one',
      completes: 'containers',
    },
  ],
  options: [{ flags: '--image', description: 'NAME is an image' }],
  examples: [
    { command: 'sysct inspect etcd', does: 'The installed container.' },
    { command: 'sysct inspect quay.io/coreos/etcd:v3.5', does: 'The image.' },
  ],
  run: async (context, [name = ''], options) => {
    const { isInstalled, requireInstalled } =
      await import('../../container/record/installed-container.ts');
    if (!options.flag('image') && isInstalled(context.containersDirectory, name)) {
      context.printJson({
        kind: 'container',
        ...requireInstalled(context.containersDirectory, name).current,
      });
      return EXIT.done;
    }
    const { openStoresOf } = await import('../parts/open-parts.ts');
    const { identityOf } = await import('../../store/ref/ref-record.ts');
    const { AdditionalStore } = await import('../../store/reader/additional-store.ts');
    const stores = await openStoresOf(context);
    const { record, store } = stores.findImage(name);
    const additional = store instanceof AdditionalStore ? store : undefined;
    context.printJson({
      version: 1,
      kind: 'image',
      name: nameOf(record),
      ...record,
      layers: record.layers.map((layer) => ({ ...layer, provedBy: identityOf(layer).proof })),
      store: additional?.hostPath ?? context.settings.store,
      config: readConfig(store, record),
      checkout: await readCheckout(context, stores.local, additional, record.treeId),
    });
    return EXIT.done;
  },
};

function readConfig(store: StoreReader, record: RefRecord): unknown {
  const text = store.readBlob(record.imageId).toString('utf8');
  const config = parseStrictJsonValue(text, `config of ${nameOf(record)}`);
  return isJsonObject(config) ? config : undefined;
}

// Asking how it would be checked out mounts things: only root can find out.
async function readCheckout(
  context: Context,
  local: Store,
  additional: StoreReader | undefined,
  treeId: Digest,
): Promise<unknown> {
  if (process.getuid?.() !== 0 || !context.host.isRunningHost) return undefined;
  const { probeCheckout } = await import('../../store/checkout/checkout-probe.ts');
  const { digestsOf } = await import('../../store/tree/tree-needs.ts');
  const support = await probeCheckout({
    objects: local.layout.objects,
    additional: additional?.layout.objects,
    runtimeDirectory: '/run/sysct',
    signal: context.signal,
  });
  // Nobody seals what others write.
  if (support.method === 'plain-tree' || additional !== undefined) return support;
  const objects = digestsOf(local.readTreeNeeds(treeId).objects);
  const seals = await local.sealer.sealsOf(objects, context.signal);
  const verityLevel = seals === undefined ? 'none' : support.verity ? 'enforce' : 'detect';
  return { ...support, verityLevel };
}
