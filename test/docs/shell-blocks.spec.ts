import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { ROOT } from '../support/running-process.js';
import { entriesFor, NOT_RUN_HERE, RUN_HERE, shellBlocks } from './shell-blocks.fixture.js';

const cases = shellBlocks.map((block) => ({ ...block, name: `${block.page}:${block.line}` }));
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

describe('shell blocks of the documentation', () => {
  it.each(cases)('$name is valid shell code', ({ text: commands }) => {
    expect(spawnSync('bash', ['-n'], { input: commands, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it.each(cases)('$name is run, or the fixture says why not', (block) => {
    expect([...entriesFor(block, RUN_HERE), ...entriesFor(block, NOT_RUN_HERE)]).toHaveLength(1);
  });

  it.each([...Object.keys(RUN_HERE), ...Object.keys(NOT_RUN_HERE)])('contain %j', (beginning) => {
    expect(shellBlocks.filter((block) => block.text.startsWith(beginning))).not.toEqual([]);
  });

  it('use only npm scripts and folders that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    // `npm run` after `npx nest-k8s-auth dev … --` is a script of the reader.
    const own = cases
      .map(({ text: commands }) => commands.replaceAll('\\\n', '').replace(/^npx .*$/gm, ''))
      .join('\n');
    for (const [, name = ''] of own.matchAll(/\bnpm run ([\w:]+)/g)) expect(scripts).toHaveProperty([name]);
    for (const [, folder = ''] of own.matchAll(/\bapply -k (\S+)/g)) {
      expect(() => readFileSync(join(ROOT, folder, 'kustomization.yaml'))).not.toThrow();
    }
  });
});

// A reader without kubectl can run the other tests.
(hasKubectl ? describe : describe.skip)('shell blocks, against the stand-in', () => {
  let cluster: LocalCluster;
  let kubeconfig: string;
  let tokenFolder: string;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ signingAlgorithm: 'ES256' });
    await cluster.createServiceAccount('shop', 'checkout');
    const mount = { namespace: 'shop', serviceAccount: 'checkout', expirationSeconds: 600 };
    const volume = await cluster.projectVolume({ ...mount, path: 'orders', audience: 'orders' });
    tokenFolder = dirname(volume.tokenFile);
    kubeconfig = await cluster.writeKubeconfig();
  });
  afterAll(() => cluster?.close());

  /** Runs what the page runs in the pod of the caller here, with that pod's folder of tokens. */
  async function run(commands: string): Promise<string> {
    const local = commands
      .replaceAll(/kubectl --namespace shop exec deployment\/\S+ -- /g, '')
      .replaceAll('/var/run/secrets/tokens', tokenFolder);
    const environment = { PATH: process.env['PATH'], HOME: tokenFolder, KUBECONFIG: kubeconfig };
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', local], {
      env: environment,
      // A socket as input makes bash read its startup files.
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [printed, errors] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
    return printed + errors;
  }

  it.each(Object.entries(RUN_HERE))('%s prints what the page says', async (beginning, printed) => {
    const [block] = shellBlocks.filter((one) => one.text.startsWith(beginning));
    expect(await run(block?.text ?? '')).toMatch(printed);
  });
});
