import { describe, expect, it } from '@jest/globals';
import { createTestPrincipal, FakeClock } from '../../testing/index.js';
import { OverloadError } from '../api-server/fair-queue.js';
import { InvalidTokenError, VerifierUnavailableError } from '../errors.js';
import { RefusalBrake } from './refusal-brake.js';
import { VerdictCache } from './verdict-cache.js';

describe('RefusalBrake', () => {
  it('tells the first 100 refusals of a second at once, and holds the others for 1 to 2 s', async () => {
    const clock = new FakeClock();
    const shares = [0, 1];
    const brake = new RefusalBrake(clock, () => shares.shift() ?? 0.5);
    const refusal = new InvalidTokenError('SIGNATURE', 'signature: expected to match');
    for (let n = 0; n < 100; n++) expect(brake.hold(refusal)).toBeUndefined();
    const told: string[] = [];
    void brake.hold(refusal)?.then(() => told.push('first'));
    void brake.hold(refusal)?.then(() => told.push('second'));
    await clock.advance(999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['first']);
    await clock.advance(1_000);
    expect(told).toEqual(['first', 'second']);
    expect(brake.hold(refusal)).toBeUndefined();
  });

  it('holds also refusals of an overloaded queue, but not those of an API server that is unreachable', () => {
    const clock = new FakeClock();
    const brake = new RefusalBrake(clock);
    for (let n = 0; n < 100; n++) expect(brake.hold(new OverloadError('overload'))).toBeUndefined();
    expect(brake.hold(new OverloadError('overload'))).toBeInstanceOf(Promise);
    expect(brake.hold(new VerifierUnavailableError('API server is unreachable'))).toBeUndefined();
  });

  it('holds remembered rejections too, and no verdicts', async () => {
    const clock = new FakeClock();
    const brake = new RefusalBrake(clock, () => 0);
    const verdict = { principal: createTestPrincipal(), validUntilMs: Infinity };
    const cache = new VerdictCache(
      (token) =>
        token === 'good' ? verdict : Promise.reject(new InvalidTokenError('REJECTED', 'not authenticated')),
      { clock, successLifetimeMs: 10_000, rejectionLifetimeMs: 10_000, brake },
    );
    const refuse = async () => cache.verify('bad', ['orders']);
    for (let n = 0; n < 100; n++) await expect(refuse()).rejects.toThrow('not authenticated');
    const late = refuse();
    let isTold = false;
    void late.catch(() => (isTold = true));
    await clock.advance(999);
    expect(isTold).toBe(false);
    expect(await cache.verify('good', ['orders'])).toBe(verdict);
    await clock.advance(1);
    expect(isTold).toBe(true);
  });

  it('does not make later callers share a held failure', async () => {
    const clock = new FakeClock();
    const brake = new RefusalBrake(clock, () => 0);
    const verdict = { principal: createTestPrincipal(), validUntilMs: Infinity };
    for (let n = 0; n < 100; n++) void brake.hold(new OverloadError('overload'));
    let isOverloaded = true;
    const cache = new VerdictCache(
      () => (isOverloaded ? Promise.reject(new OverloadError('overload')) : Promise.resolve(verdict)),
      { clock, successLifetimeMs: 10_000, rejectionLifetimeMs: 10_000, brake },
    );
    const refused = (async () => cache.verify('genuine', ['orders']))();
    const outcome = refused.catch((error: Error) => error.message);
    await clock.advance(0);
    isOverloaded = false;
    expect(await cache.verify('genuine', ['orders'])).toBe(verdict);
    await clock.advance(1_000);
    expect(await outcome).toBe('overload');
  });

  it('holds at most 2,000 refusals', () => {
    const brake = new RefusalBrake(new FakeClock());
    const held = Array.from({ length: 2_200 }, () => brake.hold(new OverloadError('overload')));
    expect(held.filter((one) => one !== undefined)).toHaveLength(2_000);
  });
});
