import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from './answers.scenarios.fixture.js';
import { requests } from './bodies.scenarios.fixture.js';
import { differences } from './differences.scenarios.fixture.js';
import { cancellations, subscriptions } from './cancellation.scenarios.fixture.js';
import { ParityBench } from './parity-bench.fixture.js';
import { redirects } from './redirects.scenarios.fixture.js';
import { type Adapter, pathsThatDiffer, type Scenario } from './scenario.fixture.js';
import { streams } from './streams.scenarios.fixture.js';

let bench: ParityBench;
beforeAll(async () => {
  bench = await ParityBench.start();
});
afterAll(() => bench.close());

const groups: Record<string, readonly Scenario[]> = {
  answers,
  requests,
  streams,
  redirects,
  cancellations: [...cancellations, ...subscriptions],
  'what docs/calling.md names': differences,
};

describe('docs/calling.md', () => {
  it('has a row, with a reason, for everything that differs and for nothing else', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/calling.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z]+\.[a-zA-Z]+)` +\|[^|]+\|[^|]+\|[^|]*\w{4}[^|]*\|$/gm)].map(
      ([, name]) => name,
    );
    const differing = Object.values(groups)
      .flat()
      .flatMap(({ differs = {} }) => Object.keys(differs));
    expect([...new Set(rows)].sort()).toEqual([...new Set(differing)].sort());
  });
});

describe.each(Object.entries(groups))(
  'a request with a token behaves like one without: %s',
  (_group, scenarios) => {
    describe.each<Adapter>(['http', 'fetch'])('%s adapter', (adapter) => {
      const played = scenarios.filter(({ adapters }) => !adapters || adapters.includes(adapter));

      it.each(played.map((scenario) => [scenario.name, scenario] as const))('%s', async (_name, scenario) => {
        const { plain, ours } = await bench.play(scenario, adapter);
        const expected = Object.values(scenario.differs ?? {}).flat();
        expect(pathsThatDiffer(plain, ours)).toEqual(expected);
      });
    });
  },
);
