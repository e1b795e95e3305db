import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPage } from '../docs/code-blocks.js';
import { readSteps } from './steps.fixture.js';

const ROOT = join(import.meta.dirname, '../..');
const page = readPage('docs/tutorial.md');
const steps = readSteps(page);

describe('docs/tutorial.md', () => {
  it('contains only blocks that can be executed and compared', () => {
    expect(steps.length).toBeGreaterThan(30);
  });

  it.each(steps.map(({ line, commands }) => ({ line, commands })))(
    'line $line is valid shell code',
    ({ commands }) => {
      expect(spawnSync('bash', ['-n'], { input: commands, encoding: 'utf8' })).toMatchObject({
        status: 0,
        stderr: '',
      });
    },
  );

  it('cleans up at its end every object that it creates in the cluster', () => {
    const [last] = steps.slice(-1);
    expect(last?.heading).toBe('Clean up');
    const made = steps.flatMap(({ commands }) =>
      [...commands.matchAll(/kubectl create (?:clusterrole|clusterrolebinding|namespace) (\S+)/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(made.length).toBeGreaterThan(0);
    for (const name of made) expect(last?.commands).toContain(name);
  });

  it('has a row for every option of the program that the old tutorial used', () => {
    for (const option of ['mode', 'pub-key', 'issuer-url', 'ca', 'audience', 'token-file']) {
      expect(page).toMatch(new RegExp(`^\\| \`(server|client) --${option} [A-Z]+\` +\\| \`[A-Z0-9_]+`, 'm'));
    }
  });

  it('names no variable that docs/configuration.md does not explain', () => {
    const named = [...page.matchAll(/\b(?:K8S_AUTH|SERVICE2)_[A-Z_]+/g)].map(([variable]) => variable);
    expect(named.length).toBeGreaterThan(0);
    for (const variable of named) expect(readPage('docs/configuration.md')).toContain(variable);
  });
});

describe.each(['cluster', 'tutorial'])('npm run test:%s', (suite) => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, ...command] = (scripts[`test:${suite}`] ?? '').split(' ');

  it.each([
    ['neither variable', {}, 'KUBECONFIG and CLUSTER_PROVIDER'],
    ['no kubeconfig', { CLUSTER_PROVIDER: 'kind' }, 'KUBECONFIG'],
    ['no provider', { KUBECONFIG: '/nowhere' }, 'CLUSTER_PROVIDER'],
  ])('says in one line that it needs a cluster, with %s', (_, environment, named) => {
    const { status, stderr } = spawnSync(process.execPath, command, {
      cwd: ROOT,
      env: { PATH: process.env.PATH, ...environment },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `test:${suite}: needs a real cluster; set ${named} to choose it\n`,
    });
  });
});
