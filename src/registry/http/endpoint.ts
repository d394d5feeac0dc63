// SPDX-License-Identifier: Apache-2.0
import type { Reference } from '../../oci/reference.ts';

/** One place to fetch a reference from: a mirror, or the primary. */
export interface Endpoint {
  /**
   * The *physical* reference: the logical one after prefix rewriting. Bytes, and signatures beside
   * them, are looked for under it; policy and identity always use the logical one.
   */
  readonly reference: Reference;
  /** registries.conf `insecure`: https without verification, then http. */
  readonly insecure: boolean;
  readonly kind: 'mirror' | 'primary';
}
