import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { OncePerMinute } from './log.js';

describe('OncePerMinute', () => {
  it('runs a topic at once, and then at most once a minute', async () => {
    const clock = new FakeClock();
    const onceAMinute = new OncePerMinute(clock);
    let runs = 0;
    const run = () => onceAMinute.run('topic', () => runs++);
    run();
    run();
    await clock.advance(59_999);
    run();
    expect(runs).toBe(1);
    await clock.advance(1);
    run();
    expect(runs).toBe(2);
  });

  it('counts topics separately', () => {
    const onceAMinute = new OncePerMinute(new FakeClock());
    const topics: string[] = [];
    for (const topic of ['a', 'b', 'a']) onceAMinute.run(topic, () => topics.push(topic));
    expect(topics).toEqual(['a', 'b']);
  });

  it('is not affected by jumps of the wall clock', () => {
    const clock = new FakeClock();
    const onceAMinute = new OncePerMinute(clock);
    let runs = 0;
    onceAMinute.run('topic', () => runs++);
    clock.jumpWall(3_600_000);
    onceAMinute.run('topic', () => runs++);
    clock.jumpWall(-7_200_000);
    onceAMinute.run('topic', () => runs++);
    expect(runs).toBe(1);
  });
});
