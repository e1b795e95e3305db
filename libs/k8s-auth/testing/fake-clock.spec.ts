import { describe, expect, it } from '@jest/globals';
import { FakeClock } from './fake-clock.js';

const START_MS = Date.UTC(2030, 0, 1);

describe('FakeClock', () => {
  it('does not move by itself', async () => {
    const clock = new FakeClock();
    await new Promise((resolve) => setImmediate(resolve));
    expect([clock.wallMs(), clock.monotonicMs()]).toEqual([START_MS, 0]);
  });

  it('starts at the given time', () => {
    expect(new FakeClock(1_000).wallMs()).toBe(1_000);
  });

  it('advances the wall time and the age', async () => {
    const clock = new FakeClock();
    await clock.advance(1_500);
    expect([clock.wallMs(), clock.monotonicMs()]).toEqual([START_MS + 1_500, 1_500]);
  });

  it('runs due timers in the order of their times, each at its own time', async () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    clock.schedule(200, () => calls.push(`late at ${clock.monotonicMs()}`));
    clock.schedule(100, () => calls.push(`early at ${clock.monotonicMs()}`));
    clock.schedule(301, () => calls.push('too late'));
    await clock.advance(300);
    expect(calls).toEqual(['early at 100', 'late at 200']);
    expect(clock.pendingTimers).toBe(1);
  });

  it('runs a timer that another timer has scheduled within the same advance', async () => {
    const clock = new FakeClock();
    const calls: number[] = [];
    const every = () => {
      calls.push(clock.monotonicMs());
      clock.schedule(100, every);
    };
    clock.schedule(100, every);
    await clock.advance(350);
    expect(calls).toEqual([100, 200, 300]);
  });

  it('lets the promises of one timer settle before the next timer runs', async () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    clock.schedule(1, () => void Promise.resolve().then(() => calls.push('settled')));
    clock.schedule(2, () => calls.push('next'));
    await clock.advance(2);
    expect(calls).toEqual(['settled', 'next']);
  });

  it('does not run a cancelled timer, and allows cancelling after it has run', async () => {
    const clock = new FakeClock();
    let calls = 0;
    const cancel = clock.schedule(10, () => calls++);
    const cancelLate = clock.schedule(20, () => calls++);
    cancel();
    await clock.advance(20);
    cancelLate();
    expect([calls, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('treats a delay in the past as due at once', async () => {
    const clock = new FakeClock();
    let calls = 0;
    clock.schedule(-5, () => calls++);
    await clock.advance(0);
    expect([calls, clock.monotonicMs()]).toEqual([1, 0]);
  });

  it('sets the wall clock without changing ages', async () => {
    const clock = new FakeClock();
    let calls = 0;
    clock.schedule(1_000, () => calls++);
    clock.jumpWall(3_600_000);
    await clock.advance(999);
    expect([clock.wallMs() - START_MS, clock.monotonicMs(), calls]).toEqual([3_600_999, 999, 0]);
  });
});
