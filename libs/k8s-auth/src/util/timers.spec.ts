import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { repeat, settleBefore, sleep, startDeadline } from './timers.js';

describe('startDeadline', () => {
  it('states its time in whole milliseconds', async () => {
    const clock = new FakeClock();
    const { signal } = startDeadline(clock, 333.3333333);
    await clock.advance(334);
    expect(signal.reason).toMatchObject({ message: 'no answer within 333 ms' });
  });

  it('fires when its time is over, and states how long it was', async () => {
    const clock = new FakeClock();
    const { signal } = startDeadline(clock, 5_000);
    await clock.advance(4_999);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError', message: 'no answer within 5000 ms' });
  });

  it('can be cancelled', async () => {
    const clock = new FakeClock();
    const deadline = startDeadline(clock, 5_000);
    deadline.cancel();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(10_000);
    expect(deadline.signal.aborted).toBe(false);
  });
});

describe('a listener of a deadline', () => {
  const listen = (clock = new FakeClock()) => {
    const deadline = startDeadline(clock, 100);
    const reasons: string[] = [];
    const stop = deadline.onEnd(({ message }) => reasons.push(message));
    return { clock, deadline, reasons, stop };
  };

  it('is called once when the time is over', async () => {
    const { clock, deadline, reasons } = listen();
    expect(deadline.isOver).toBe(false);
    await clock.advance(100);
    deadline.abort(new Error('too late'));
    expect(reasons).toEqual(['no answer within 100 ms']);
    expect(deadline.isOver).toBe(true);
  });

  it('gets the reason of an abort, which the signal also has, whenever it is read', () => {
    const { deadline, reasons } = listen();
    deadline.abort(new Error('nobody waits'));
    expect(reasons).toEqual(['nobody waits']);
    expect(deadline.signal.reason).toMatchObject({ message: 'nobody waits' });
    deadline.onEnd(({ message }) => reasons.push(`late: ${message}`));
    expect(reasons).toEqual(['nobody waits', 'late: nobody waits']);
  });

  it('is not called after it was removed, or after the deadline was cancelled', async () => {
    const removed = listen();
    removed.stop();
    removed.deadline.abort(new Error('nobody waits'));
    const cancelled = listen();
    cancelled.deadline.cancel();
    await cancelled.clock.advance(100);
    expect([removed.reasons, cancelled.reasons]).toEqual([[], []]);
  });
});

describe('settleBefore', () => {
  it('settles like the promise, or rejects with the reason of the deadline', async () => {
    const clock = new FakeClock();
    const deadline = startDeadline(clock, 100);
    await expect(settleBefore(deadline, Promise.resolve('value'))).resolves.toBe('value');
    await expect(settleBefore(deadline, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const waiting = settleBefore(deadline, new Promise(() => {}));
    await Promise.all([expect(waiting).rejects.toThrow('no answer within 100 ms'), clock.advance(100)]);
    await expect(settleBefore(deadline, new Promise(() => {}))).rejects.toThrow('no answer within 100 ms');
  });
});

describe('sleep', () => {
  it('ends after its time', async () => {
    const clock = new FakeClock();
    let isOver = false;
    const sleeping = sleep(clock, 100, new AbortController().signal).then(() => (isOver = true));
    await clock.advance(99);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await sleeping;
    expect(isOver).toBe(true);
  });

  it('ends with the reason of the signal, and leaves no timer', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 100, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not start when the signal has already fired', async () => {
    const clock = new FakeClock();
    await expect(sleep(clock, 100, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('repeat', () => {
  it('schedules the next call when the last one has settled, and reads the period each time', async () => {
    const clock = new FakeClock();
    const periodsMs = [10, 20, 30];
    let calls = 0;
    let finish: () => void = () => {};
    repeat(
      clock,
      () => periodsMs.shift() ?? 1_000,
      () => {
        calls++;
        return new Promise((resolve) => (finish = resolve));
      },
    );
    await clock.advance(10);
    expect(calls).toBe(1);
    await clock.advance(500);
    expect(calls).toBe(1);
    finish();
    await clock.advance(0);
    await clock.advance(19);
    expect(calls).toBe(1);
    await clock.advance(1);
    expect(calls).toBe(2);
  });

  it.each<[string, () => Promise<void>]>([
    ['rejects', () => Promise.reject(new Error('in vain'))],
    [
      'throws',
      () => {
        throw new Error('in vain');
      },
    ],
  ])('continues when a call %s', async (_, task) => {
    const clock = new FakeClock();
    let calls = 0;
    const stop = repeat(
      clock,
      () => 10,
      () => {
        calls++;
        return task();
      },
    );
    await clock.advance(30);
    expect(calls).toBe(3);
    stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops between calls', async () => {
    const clock = new FakeClock();
    let calls = 0;
    const stop = repeat(
      clock,
      () => 10,
      () => Promise.resolve(void calls++),
    );
    await clock.advance(25);
    expect(calls).toBe(2);
    stop();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(100);
    expect(calls).toBe(2);
  });

  it('stops during a call', async () => {
    const clock = new FakeClock();
    let finish: () => void = () => {};
    const stop = repeat(
      clock,
      () => 10,
      () => new Promise((resolve) => (finish = resolve)),
    );
    await clock.advance(10);
    stop();
    finish();
    await clock.advance(100);
    expect(clock.pendingTimers).toBe(0);
  });
});
