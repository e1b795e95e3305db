import { describe, expect, it, jest } from '@jest/globals';
import { type Simulation, simulate } from './replica-simulation.fixture.js';
import {
  maxReviewsPerSecond,
  reviewsPerSecond,
  ROTATION_SECONDS,
  SUCCESS_LIFETIME_SECONDS,
} from './review-load.js';

const NO_ROTATION = 1_000_000;
const rotated = { rotationSeconds: ROTATION_SECONDS, warmUpSeconds: 240, seconds: 480 };

/** What the simulation counts, as a share of what the formula says. */
async function countedShare(simulation: Simulation): Promise<number> {
  const counted = await simulate(simulation);
  return counted.reviewsPerSecond / reviewsPerSecond(simulation.verifier, simulation);
}

describe.each(['tokenreview', 'hybrid'] as const)('the reviews that %s causes', (verifier) => {
  it.each([
    { replicas: 1, callers: 40, requestsPerSecond: 2 },
    { replicas: 3, callers: 20, requestsPerSecond: 3 },
    { replicas: 3, callers: 100, requestsPerSecond: 0.3 },
    { replicas: 10, callers: 30, requestsPerSecond: 0.2 },
    { replicas: 10, callers: 60, requestsPerSecond: 0.1 },
    { replicas: 20, callers: 100, requestsPerSecond: 0.05 },
  ])(
    'are as many as the formula says (N = $replicas, M = $callers, r = $requestsPerSecond)',
    async (load) => {
      const share = await countedShare({ ...load, ...rotated, verifier, arrival: 'random' });
      expect(share).toBeGreaterThanOrEqual(0.95);
      expect(share).toBeLessThanOrEqual(1.05);
    },
  );

  it('are close to the limit for callers that send many requests, and never more', async () => {
    const load = { replicas: 4, callers: 20, requestsPerSecond: 8, ...rotated };
    const counted = await simulate({ ...load, verifier, arrival: 'random' });
    const max = maxReviewsPerSecond(verifier, load);
    expect(counted.reviewsPerSecond).toBeLessThanOrEqual(max);
    expect(counted.reviewsPerSecond).toBeGreaterThanOrEqual(0.9 * max);
  });
});

// Simulates many callers: on a busy machine that takes longer than the usual limit.
jest.setTimeout(180_000);

describe('a replica of tokenreview that has more than 5,000 callers', () => {
  const crowd = {
    replicas: 1,
    callers: 10_000,
    rotationSeconds: NO_ROTATION,
    verifier: 'tokenreview',
  } as const;

  it('reviews the evicted share of random requests', async () => {
    const load = { ...crowd, requestsPerSecond: 0.3, warmUpSeconds: 15, seconds: 20 };
    const share = await countedShare({ ...load, arrival: 'random' });
    expect(share).toBeGreaterThanOrEqual(0.95);
    expect(share).toBeLessThanOrEqual(1.1);
  });

  it('reviews each token once per lifetime while fewer than 5,000 of them are used in one lifetime', async () => {
    const load = { ...crowd, requestsPerSecond: 0.05, warmUpSeconds: 40, seconds: 60 };
    const share = await countedShare({ ...load, arrival: 'random' });
    expect(share).toBeGreaterThanOrEqual(0.95);
    expect(share).toBeLessThanOrEqual(1.03);
  });

  it('reviews every request if the callers take turns', async () => {
    const load = { ...crowd, requestsPerSecond: 0.5, warmUpSeconds: 20, seconds: 10 };
    const counted = await simulate({ ...load, arrival: 'regular' });
    expect(counted.reviewsPerSecond).toBe(counted.requestsPerSecond);
  });
});

it('5,000 callers that take turns are reviewed once per lifetime', async () => {
  const load = { replicas: 1, callers: 5_000, requestsPerSecond: 0.5, rotationSeconds: NO_ROTATION };
  const run = {
    ...load,
    warmUpSeconds: 20,
    seconds: 20,
    verifier: 'tokenreview',
    arrival: 'regular',
  } as const;
  const counted = await simulate(run);
  expect(counted.reviewsPerSecond).toBe(5_000 / SUCCESS_LIFETIME_SECONDS);
});

it('a replica of hybrid that has more than 10,000 callers reviews the evicted share of random requests', async () => {
  const load = { replicas: 1, callers: 20_000, requestsPerSecond: 0.2, rotationSeconds: NO_ROTATION };
  const share = await countedShare({
    ...load,
    warmUpSeconds: 10,
    seconds: 20,
    verifier: 'hybrid',
    arrival: 'random',
  });
  expect(share).toBeGreaterThanOrEqual(0.95);
  expect(share).toBeLessThanOrEqual(1.1);
});

it('the limits are N × M / 10 and N × M / 48 with tokens that live 10 minutes, as docs/performance.md says', () => {
  const pair = { replicas: 1, callers: 1, rotationSeconds: ROTATION_SECONDS };
  expect(Math.round(1 / maxReviewsPerSecond('tokenreview', pair))).toBe(10);
  expect(Math.round(1 / maxReviewsPerSecond('hybrid', pair))).toBe(48);
});
