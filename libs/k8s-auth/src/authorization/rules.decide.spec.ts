import { describe, expect, it } from '@jest/globals';
import { createTestPrincipal } from '../../testing/index.js';
import { type AuthorizationRule, decide, not } from './rules.js';

const principal = createTestPrincipal();
const outcomeOf = (decision: unknown) => decide((() => decision) as AuthorizationRule, principal);

class Inherited {
  get allowed() {
    return true;
  }
}

describe('decide', () => {
  it.each<[string, unknown]>([
    ['an inherited `allowed`', Object.create({ allowed: true })],
    ['an `allowed` of the class', new Inherited()],
    ['the bare yes', true],
    ['a text', 'allowed'],
    ['a number in place of true', { allowed: 1 }],
    ['a function', Object.assign(() => {}, { allowed: true })],
    ['nothing', undefined],
  ])('does not accept %s as a decision', (_, decision) => {
    expect(outcomeOf(decision)).toEqual({ kind: 'undecided', reason: 'gave no decision' });
  });

  it('ignores an inherited reason', () => {
    const decision: unknown = Object.assign(Object.create({ reason: 'not this' }), { allowed: false });
    expect(outcomeOf(decision)).toEqual({ kind: 'denied', reason: 'gave no reason' });
  });

  it.each<[string, () => unknown]>([
    ['a promise', () => Promise.resolve({ allowed: true })],
    ['a promise that rejects', () => Promise.reject(new Error('late'))],
    [
      'a thenable that also looks like a decision',
      () => ({ allowed: true, then: (resolve: () => void) => resolve() }),
    ],
    [
      'a thenable function',
      () =>
        Object.assign(() => {}, {
          then: (_: unknown, reject: (reason: Error) => void) => reject(new Error('late')),
        }),
    ],
    [
      'a thenable that throws',
      () => ({
        then: () => {
          throw new Error('late');
        },
      }),
    ],
  ])('refuses %s', (_, decision) => {
    expect(outcomeOf(decision())).toEqual({
      kind: 'undecided',
      reason: 'gave a promise instead of a decision',
    });
  });

  it('handles a rejected promise of another promise library, which would otherwise end the process', async () => {
    const handled: unknown[] = [];
    // Such a library counts a rejection as handled once somebody has passed a second function.
    const foreign = { then: (_: unknown, onRejected: unknown) => void handled.push(typeof onRejected) };
    outcomeOf(foreign);
    await new Promise((resolve) => setImmediate(resolve));
    expect(handled).toEqual(['function']);
  });

  it('states what a rule has thrown, without keeping the error', () => {
    const throwing: AuthorizationRule = () => {
      throw new Error('no such list');
    };
    expect(decide(throwing, principal)).toEqual({
      kind: 'undecided',
      reason: 'threw an error: no such list',
    });
    expect(not(throwing)(principal)).toMatchObject({ allowed: false });
  });

  it('survives a decision that throws when it is read', () => {
    const decision = Object.defineProperty({}, 'allowed', {
      enumerable: true,
      get: () => {
        throw new Error('unreadable');
      },
    });
    expect(outcomeOf(decision)).toEqual({ kind: 'undecided', reason: 'threw an error: unreadable' });
  });
});
