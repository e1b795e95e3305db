import { describe, expect, it } from '@jest/globals';
import { within } from './timers.js';

describe('within', () => {
  it('is the outcome of the promise while the signal is quiet', async () => {
    const { signal } = new AbortController();
    await expect(within(signal, Promise.resolve('done'))).resolves.toBe('done');
    await expect(within(signal, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  });

  it('is the reason of the signal, be it early or late', async () => {
    const controller = new AbortController();
    const late = within(controller.signal, new Promise(() => {}));
    controller.abort(new Error('time is up'));
    await expect(late).rejects.toThrow('time is up');
    await expect(within(controller.signal, Promise.resolve('too late'))).rejects.toThrow('time is up');
  });
});
