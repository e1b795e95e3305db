import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from '../support/running-process.js';

const CHECK = pathToFileURL(join(ROOT, 'scripts/check-node.mjs')).href;

/** Imports the check in a process that claims to be another version of Node. */
function checkAs(version: string): Promise<unknown> {
  const program = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });
    await import('${CHECK}');`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
}

it.each(['18.20.4', '20.18.3', '9.0.0'])('refuses Node %s in one sentence', async (version) => {
  await expect(checkAs(version)).rejects.toMatchObject({
    code: 1,
    stderr: `Node 20.19 or later is required, and this is Node ${version}.\n`,
  });
});

it.each(['20.19.0', '22.12.0', '24.0.0'])('accepts Node %s', async (version) => {
  await expect(checkAs(version)).resolves.toMatchObject({ stderr: '' });
});
