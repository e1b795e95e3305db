import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/running-process.js';

/** Runs a program in a process that claims to be another version of Node. */
function runAs(version: string, ...program: string[]): Promise<unknown> {
  const claim = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`;
  const preload = ['--import', `data:text/javascript,${encodeURIComponent(claim)}`];
  return promisify(execFile)(process.execPath, [...preload, ...program], { cwd: ROOT });
}

const OLD = ['9.0.0', '18.20.4', '20.18.3', '21.7.3', '22.11.0'];
const SUPPORTED = ['20.19.0', '22.12.0', '23.0.0', '24.0.0'];

describe('scripts/check-node.mjs', () => {
  it.each(OLD)('refuses Node %s in one sentence', async (version) => {
    await expect(runAs(version, 'scripts/check-node.mjs')).rejects.toMatchObject({
      code: 1,
      stderr: `Node 20.19 or 22.12 or later is required, and this is Node ${version}.\n`,
    });
  });

  it.each(SUPPORTED)('accepts Node %s', async (version) => {
    await expect(runAs(version, 'scripts/check-node.mjs')).resolves.toMatchObject({ stderr: '' });
  });
});

describe('npm start', () => {
  it('refuses an old Node in the same sentence, before anything else is loaded', async () => {
    await expect(runAs('18.20.4', 'scripts/npm-start.mjs')).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'Node 20.19 or 22.12 or later is required, and this is Node 18.20.4.\n',
    });
    // An old Node fails at a static import before it runs the check.
    const text = readFileSync(join(ROOT, 'scripts/npm-start.mjs'), 'utf8');
    expect(text.match(/^import .*/gm)).toEqual(["import './check-node.mjs';"]);
  });
});

describe('npx nest-k8s-auth', () => {
  it.each(OLD)('refuses Node %s in one sentence', async (version) => {
    await expect(runAs(version, 'libs/k8s-auth/bin/nest-k8s-auth.mjs')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: `nest-k8s-auth needs Node 20.19 or 22.12 or later, and this is Node ${version}.\n`,
    });
  });
});
