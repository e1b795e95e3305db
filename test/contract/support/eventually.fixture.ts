import { setTimeout as pause } from 'node:timers/promises';

const INTERVAL_MS = 200;
const ATTEMPTS = 150;

/**
 * Repeats a request until its answer is as expected: a real API server learns of changes through watches and keeps
 * accepted tokens for 10 s. The first attempt is made at once, so that there is no wait without need.
 */
export async function eventually<T>(ask: () => Promise<T>, willDo: (answer: T) => boolean): Promise<T> {
  let answer = await ask();
  for (let attempt = 1; attempt < ATTEMPTS && !willDo(answer); attempt++) {
    await pause(INTERVAL_MS);
    answer = await ask();
  }
  return answer;
}
