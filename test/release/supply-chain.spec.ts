import { loadYaml } from '@kubernetes/client-node';
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/running-process.js';

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Readonly<Record<string, unknown>>;
  }[];
}
interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const files = readdirSync(join(ROOT, '.github/workflows')).map((name) => `.github/workflows/${name}`);
const workflow = (path: string) => loadYaml<Workflow>(read(path));
const jobsOf = (path: string) => Object.values(workflow(path).jobs);
const stepsOf = (path: string) => jobsOf(path).flatMap(({ steps }) => steps);

describe.each(files)('%s', (path) => {
  it('names every action by its commit, and the version in a comment', () => {
    const uses = read(path)
      .split('\n')
      .filter((line) => /\buses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('may read the repository only, unless a job says what else it needs', () => {
    expect(workflow(path).permissions).toEqual({ contents: 'read' });
    const writing = jobsOf(path).filter(({ permissions = {} }) =>
      Object.values(permissions).includes('write'),
    );
    // A job with write permissions runs no code of a checkout or of packages.
    for (const { steps } of writing) {
      for (const { uses = '', run = '' } of steps)
        expect(`${uses}${run}`).not.toMatch(/checkout@|npm (ci|install|run)/);
    }
  });

  it('leaves no credentials in a checkout', () => {
    for (const step of stepsOf(path).filter(({ uses }) => uses?.startsWith('actions/checkout@'))) {
      expect(step.with).toEqual({ 'persist-credentials': false });
    }
  });

  it('inserts no value from outside into a script', () => {
    for (const { run = '' } of stepsOf(path)) expect(run).not.toContain('${{');
  });
});

describe('the release workflow', () => {
  const { jobs } = workflow('.github/workflows/release.yml');
  const commands = (job: string) => jobs[job]?.steps.map(({ run = '' }) => run).join('\n');

  it('tests, packs and lists the contents before anything is published', () => {
    expect(commands('build')).toMatch(/\.ci\/run[^]*npm pack[^]*npm sbom/);
    expect(jobs['publish']).toMatchObject({ needs: 'build' });
  });

  it('publishes the packed file with its provenance', () => {
    expect(commands('publish')).toMatch(/npm publish \S+\.tgz --provenance/);
    expect(jobs['publish']?.permissions).toMatchObject({ 'id-token': 'write' });
  });
});

describe('base images', () => {
  it.each(['Dockerfile', 'test/cluster/other-service/Dockerfile'])('%s names them by digest', (path) => {
    const [, image] = /^ARG NODE_IMAGE=(.*)$/m.exec(read(path)) ?? [];
    expect(image).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/);
    const bases = [...read(path).matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases).toContain('${NODE_IMAGE}');
    expect(bases.filter((base) => base?.includes(':'))).toEqual([]);
  });
});

it('Renovate keeps commits and digests up to date', () => {
  const { extends: presets } = JSON.parse(read('.github/renovate.json')) as { extends: string[] };
  expect(presets).toEqual(
    expect.arrayContaining(['helpers:pinGitHubActionDigestsToSemver', 'docker:pinDigests']),
  );
});
