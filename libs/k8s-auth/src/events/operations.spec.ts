import { describe, expect, it } from '@jest/globals';
import { InvalidTokenError } from '../errors.js';
import { type OperationObserver, type OperationResult, runObserved } from './operations.js';

/** Runs work that is watched by one observer, and reports what happened. */
function observe(run: OperationObserver['run'], work: () => string | Promise<string>) {
  const ended: OperationResult[] = [];
  const failures: unknown[] = [];
  let runs = 0;
  const outcome = (async () =>
    runObserved({
      work: () => {
        runs++;
        return work();
      },
      observers: [{ ...(run && { run }), end: (result) => void ended.push(result) }],
      usernameOf: (result) => result,
      onFailure: (error) => void failures.push(error),
    }))();
  return { outcome, ended, failures, runs: () => runs };
}

const broken = new Error('observer is broken');
const fail = (): never => {
  throw broken;
};
const accepted = { outcome: 'accepted', username: 'shop/checkout' };

describe('an observed operation', () => {
  it.each<[string, OperationObserver['run']]>([
    ['has no function to run it', undefined],
    ['runs it twice', (work) => [work(), work()]],
    ['never runs it', () => {}],
  ])('runs once and returns its own result if its observer %s', async (_, run) => {
    const { outcome, ended, failures, runs } = observe(run, () => 'shop/checkout');
    expect(await outcome).toBe('shop/checkout');
    expect([runs(), ended, failures]).toEqual([1, [accepted], []]);
  });

  it('runs although its observer throws before, and reports that error', async () => {
    const { outcome, ended, failures, runs } = observe(fail, () => Promise.resolve('shop/checkout'));
    expect(await outcome).toBe('shop/checkout');
    expect([runs(), ended, failures]).toEqual([1, [accepted], [broken]]);
  });

  it.each<[string, () => never | Promise<never>]>([
    ['throws', () => fail()],
    ['rejects', () => Promise.reject(broken)],
  ])('%s its own error, and the observer has not failed', async (_, work) => {
    const { outcome, ended, failures } = observe((inner) => inner(), work);
    await expect(outcome).rejects.toBe(broken);
    expect(ended).toEqual([{ outcome: 'unavailable' }]);
    expect(failures).toEqual([]);
  });

  it('tells its observer the code of a rejected token', async () => {
    const { outcome, ended } = observe(undefined, () => {
      throw new InvalidTokenError('EXPIRED', '"exp" has passed');
    });
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_EXPIRED' });
    expect(ended).toEqual([{ outcome: 'rejected', code: 'ERR_K8S_AUTH_TOKEN_EXPIRED' }]);
  });
});
