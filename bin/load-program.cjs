// SPDX-License-Identifier: Apache-2.0
// Shipped beside program.cjs: runs it from V8's code cache, which was made with it by the same runtime. That
// halves the start-up of a small verb. V8 refuses a cache that does not fit; the program is then compiled.
'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

// Said by bin/sysct, to this process alone.
delete process.env.MALLOC_ARENA_MAX;
delete process.env.MALLOC_MMAP_THRESHOLD_;

const file = `${__dirname}/program.cjs`;
// The bundle is ASCII; latin1 spares the decoder.
const text = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'latin1')}\n})`;
const script = new Script(text, { filename: file, cachedData: readCache() });
script.runInThisContext()(exports, require, module, file, __dirname);
// For bin/code-cache.ts, which makes the cache of what was compiled until then.
Object.defineProperty(module.exports, 'script', { value: script });

function readCache() {
  try {
    return readFileSync(`${__dirname}/program.cache`);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}
