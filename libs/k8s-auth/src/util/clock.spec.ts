import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from './clock.js';

describe('systemClock', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('returns the wall time and an age', () => {
    const [wallMs, ageMs] = [systemClock.wallMs(), systemClock.monotonicMs()];
    jest.advanceTimersByTime(250);
    expect(systemClock.wallMs() - wallMs).toBe(250);
    expect(systemClock.monotonicMs() - ageMs).toBe(250);
  });

  it('does not change an age with the wall clock', () => {
    const ageMs = systemClock.monotonicMs();
    jest.setSystemTime(0);
    expect(systemClock.monotonicMs() - ageMs).toBe(0);
  });

  it('calls a function once after the delay, unless cancelled', () => {
    const task = jest.fn();
    const cancelled = jest.fn();
    systemClock.schedule(1000, task);
    systemClock.schedule(500, cancelled)();
    jest.advanceTimersByTime(999);
    expect(task).not.toHaveBeenCalled();
    jest.advanceTimersByTime(10_000);
    expect(task).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
  });

  it('does not treat a delay that is too long for Node as no delay', () => {
    const task = jest.fn();
    systemClock.schedule(365 * 24 * 3_600_000, task);
    jest.advanceTimersByTime(24 * 3_600_000);
    expect(task).not.toHaveBeenCalled();
  });
});
