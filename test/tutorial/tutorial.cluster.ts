import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { readBlocks, readPage } from '../docs/code-blocks.js';
import { PageRun } from './page-run.fixture.js';
import { ShellSession } from './shell-session.fixture.js';
import { readSteps } from './steps.fixture.js';
import { TutorialCluster } from './tutorial-cluster.fixture.js';

const cwd = join(import.meta.dirname, '../..');
const PAGE = 'docs/tutorial.md';
const CLEAN_UP = 'Clean up';
/** Longer than the deadline of a block, whose error says more than Jest's timeout. */
const MARGIN_MS = 10_000;

const steps = readSteps(readPage(PAGE));

describe('docs/tutorial.md', () => {
  let cluster: TutorialCluster | undefined;
  let session: ShellSession | undefined;
  let run: PageRun;

  beforeAll(() => {
    cluster = new TutorialCluster();
    session = new ShellSession({ cwd, environment: cluster.environment });
    run = new PageRun(session);
  });

  afterAll(async () => {
    session?.close();
    if (cluster && cluster.leftovers().length > 0) await cleanUp(cluster);
    cluster?.close();
  }, 120_000);

  for (const step of steps) {
    const { line, heading, commands, deadlineMs } = step;
    it(
      `line ${line}, ${heading}: ${commands.split('\n', 1).join()}`,
      () => expect(run.perform(step)).resolves.toBeUndefined(),
      deadlineMs + MARGIN_MS,
    );
  }

  it('has been executed as a whole', () => {
    const lines = readBlocks(readPage(PAGE)).flatMap(({ language, line }) =>
      language === 'sh' ? [line] : [],
    );
    expect(run.succeeded).toEqual(lines);
  });

  it('leaves the cluster as it found it', () => {
    expect(cluster?.leftovers()).toEqual([]);
  });
});

/** Cleans up with the page's own commands, in a new shell. */
async function cleanUp(cluster: TutorialCluster): Promise<void> {
  const session = new ShellSession({ cwd, environment: cluster.environment });
  try {
    for (const { heading, commands, deadlineMs } of steps) {
      if (heading === CLEAN_UP) await session.run(commands, deadlineMs);
    }
  } finally {
    session.close();
  }
  if (cluster.leftovers().length > 0)
    throw new Error(`left in the cluster: ${cluster.leftovers().join(', ')}`);
}
