import { describe, expect, it } from '@jest/globals';
import { within } from './timers.js';

describe('within', () => {
  it('settles like the promise if the signal does not fire', async () => {
    const { signal } = new AbortController();
    await expect(within(signal, Promise.resolve('done'))).resolves.toBe('done');
    await expect(within(signal, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  });

  it('rejects with the reason of the signal, whether it fires before or during the wait', async () => {
    const controller = new AbortController();
    const late = within(controller.signal, new Promise(() => {}));
    controller.abort(new Error('time is up'));
    await expect(late).rejects.toThrow('time is up');
    await expect(within(controller.signal, Promise.resolve('too late'))).rejects.toThrow('time is up');
  });
});
