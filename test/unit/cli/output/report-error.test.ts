// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { UsageError } from '../../../../src/base/sysct-error.ts';
import { renderError } from '../../../../src/cli/output/report-error.ts';

const MODULE = JSON.stringify(import.meta.resolve('../../../../src/cli/output/report-error.ts'));

/** Of an error with this code, as somebody who is not root sees it. */
function renderedForUser(code: string): string {
  const program = `
    import { renderError } from ${MODULE};
    Object.defineProperty(process, 'getuid', { value: () => 1000 });
    const error = Object.assign(new Error(${JSON.stringify(`${code}: denied, open '/x'`)}), { code: '${code}' });
    process.stdout.write(renderError(error, false));`;
  const args = ['--input-type=module', '--eval', program];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout;
}

describe('what a user sees of a failure', () => {
  it('is one line, and a hint', () => {
    const error = new UsageError('this\nthat', { hint: 'do it' });
    assert.equal(renderError(error, false), 'sysct: this\\x0athat\nhint: do it\n');
  });

  it('is called a defect of sysct when nobody foresaw it', () => {
    assert.match(renderError(new TypeError('x'), false), /^sysct: internal error: x .*report it/);
  });

  it('is no defect when somebody who is not root reads what only root can', () => {
    const text =
      "sysct: only root can do that: EACCES: denied, open '/x'\nhint: run it with sudo\n";
    assert.equal(renderedForUser('EACCES'), text);
    assert.match(renderedForUser('EMFILE'), /internal error/);
  });
});
