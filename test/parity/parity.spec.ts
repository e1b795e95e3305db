import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answers } from './answers.scenarios.fixture.js';
import { requests } from './bodies.scenarios.fixture.js';
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
};

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
