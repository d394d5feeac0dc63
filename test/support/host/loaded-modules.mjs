// SPDX-License-Identifier: Apache-2.0
// For `node --import`: writes the URL of every module that is loaded to the file LOADED_MODULES, a line each.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED_MODULES, `${url}\n`);
    return next(url, context);
  },
});
