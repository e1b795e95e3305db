import { beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { FakeClock } from '../../testing/fake-clock.js';
import { InvalidTokenError, type InvalidTokenReason, VerifierUnavailableError } from '../errors.js';
import { createPrincipal } from '../identity/principal.js';
import { VerdictCache } from './verdict-cache.js';
import { type Verdict, type Verify } from './verifier.js';

const HOUR_MS = 3_600_000;

/** Answers as it is told to, and counts. */
class ScriptedVerification {
  readonly calls: string[] = [];
  answer: (token: string) => Verdict | Promise<Verdict>;

  constructor(private readonly clock: FakeClock) {
    this.answer = () => Promise.resolve(this.verdict());
  }

  verdict(validForMs = HOUR_MS): Verdict {
    const principal = createPrincipal({
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'uid-1',
      audiences: ['orders'],
      issuer: 'https://issuer.example',
      verifiedBy: 'scripted',
    });
    return { principal, validUntilMs: this.clock.wallMs() + validForMs };
  }

  refuse(reason: InvalidTokenReason): void {
    this.answer = () => Promise.reject(new InvalidTokenError(reason, `refused as ${reason}`));
  }

  readonly verify: Verify = (token, audiences) => {
    this.calls.push(`${token} for ${audiences.join()}`);
    return this.answer(token);
  };
}

let clock: FakeClock;
let uncached: ScriptedVerification;
let cache: VerdictCache;

function cacheWith(lifetimes: { successLifetimeMs?: number; rejectionLifetimeMs?: number }): VerdictCache {
  return new VerdictCache(uncached.verify, {
    clock,
    successLifetimeMs: 10_000,
    rejectionLifetimeMs: 2_000,
    ...lifetimes,
  });
}

function verify(token = 'token-a', audiences: readonly string[] = ['orders']): Promise<Verdict> {
  return (async () => cache.verify(token, audiences))();
}

beforeEach(() => {
  clock = new FakeClock();
  uncached = new ScriptedVerification(clock);
  cache = cacheWith({});
});

describe('the cached verdict of an accepted token', () => {
  it('is returned synchronously until its lifetime ends', async () => {
    const first = await verify();
    await clock.advance(9_999);
    expect(cache.verify('token-a', ['orders'])).toBe(first);
    await clock.advance(1);
    await verify();
    expect(uncached.calls).toHaveLength(2);
  });

  it('has a lifetime that starts when the review was sent, however long the answer takes', async () => {
    uncached.answer = async () => {
      await new Promise<void>((resolve) => clock.schedule(4_000, resolve));
      return uncached.verdict();
    };
    const first = verify();
    await clock.advance(4_000);
    await first;
    await clock.advance(5_999);
    await verify();
    expect(uncached.calls).toHaveLength(1);
    await clock.advance(1);
    const next = verify();
    await clock.advance(4_000);
    await next;
    expect(uncached.calls).toHaveLength(2);
  });

  it('is not renewed by being used', async () => {
    await verify();
    for (let second = 0; second < 9; second++) {
      await clock.advance(1_000);
      await verify();
    }
    await clock.advance(1_000);
    await verify();
    expect(uncached.calls).toHaveLength(2);
  });

  it('is never returned after the token has expired', async () => {
    uncached.answer = () => uncached.verdict(3_000);
    await verify();
    await clock.advance(2_999);
    await verify();
    expect(uncached.calls).toHaveLength(1);
    await clock.advance(1);
    uncached.refuse('EXPIRED');
    await expect(verify()).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_EXPIRED' });
  });

  it("ends when the wall clock jumps past the token's expiry", async () => {
    await verify();
    clock.jumpWall(HOUR_MS);
    await verify();
    expect(uncached.calls).toHaveLength(2);
  });

  it('does not live longer when the wall clock jumps back', async () => {
    uncached.answer = () => uncached.verdict(3_000);
    await verify();
    clock.jumpWall(-HOUR_MS);
    await clock.advance(3_000);
    await verify();
    await clock.advance(10_000);
    await verify();
    expect(uncached.calls).toHaveLength(3);
  });

  it('ends when it is no longer current, and is verified again then', async () => {
    let isCurrent = true;
    uncached.answer = () => ({ ...uncached.verdict(), isCurrent: () => isCurrent });
    await verify();
    await verify();
    expect(uncached.calls).toHaveLength(1);
    isCurrent = false;
    uncached.refuse('SIGNATURE');
    await expect(verify()).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_SIGNATURE' });
    expect(uncached.calls).toHaveLength(2);
  });

  it('is not given to another token with the same signature', async () => {
    await verify(`header.payload.${'s'.repeat(342)}`);
    uncached.refuse('SIGNATURE');
    await expect(verify(`header.another.${'s'.repeat(342)}`)).rejects.toBeInstanceOf(InvalidTokenError);
    await expect(verify(`header.payload.${'s'.repeat(342)}`)).resolves.toBeDefined();
  });

  it('is given synchronously, and kept, if the verification is synchronous', () => {
    uncached.answer = () => uncached.verdict();
    const first = cache.verify('token-a', ['orders']);
    expect(first).toHaveProperty('principal');
    expect(cache.verify('token-a', ['orders'])).toBe(first);
    expect(uncached.calls).toHaveLength(1);
  });

  it('is not kept with a lifetime of 0', async () => {
    cache = cacheWith({ successLifetimeMs: 0 });
    await verify();
    await verify();
    expect(uncached.calls).toHaveLength(2);
  });

  it('is valid only for the same audiences in the same order', async () => {
    await verify('token-a', ['orders']);
    await verify('token-a', ['stock']);
    await verify('token-a', ['orders', 'stock']);
    await verify('token-a', ['stock', 'orders']);
    await verify('token-a', ['ordersstock']);
    await verify('token-aorders', []);
    await verify('token-a', ['1:a']);
    await verify('token-a1:1', ['a']);
    expect(uncached.calls).toHaveLength(8);
  });
});

describe('the cached verdict of a refused token', () => {
  it('is returned synchronously for two seconds', async () => {
    uncached.refuse('REJECTED');
    await expect(verify()).rejects.toBeInstanceOf(InvalidTokenError);
    await clock.advance(1_999);
    expect(() => cache.verify('token-a', ['orders'])).toThrow(
      expect.objectContaining({ code: 'ERR_K8S_AUTH_TOKEN_REJECTED', message: 'refused as REJECTED' }),
    );
    expect(uncached.calls).toHaveLength(1);
    await clock.advance(1);
    await expect(verify()).rejects.toBeInstanceOf(InvalidTokenError);
    expect(uncached.calls).toHaveLength(2);
  });

  it.each(['EXPIRED', 'NOT_YET_VALID'] as const)('is not kept when the reason is %s', async (reason) => {
    uncached.refuse(reason);
    await expect(verify()).rejects.toBeInstanceOf(InvalidTokenError);
    uncached.answer = () => uncached.verdict();
    await expect(verify()).resolves.toBeDefined();
  });

  it('is not kept when the refusal needed no review', async () => {
    uncached.answer = () => {
      throw new InvalidTokenError('MALFORMED', 'no JWT');
    };
    await expect(verify()).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_MALFORMED' });
    await expect(verify()).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_MALFORMED' });
    expect(uncached.calls).toHaveLength(2);
  });

  it('is not kept with a lifetime of 0', async () => {
    cache = cacheWith({ rejectionLifetimeMs: 0 });
    uncached.refuse('REJECTED');
    await expect(verify()).rejects.toBeInstanceOf(InvalidTokenError);
    await expect(verify()).rejects.toBeInstanceOf(InvalidTokenError);
    expect(uncached.calls).toHaveLength(2);
  });

  it('never evicts the verdict of an accepted token, however many there are', async () => {
    await verify('good');
    uncached.refuse('REJECTED');
    for (let n = 0; n < 6_000; n++) await verify(`bad-${n}`).catch(() => undefined);
    expect(cache.verify('good', ['orders'])).toHaveProperty('principal');
  });
});

describe('a failed verification', () => {
  it('is never cached', async () => {
    uncached.answer = () => Promise.reject(new VerifierUnavailableError('away'));
    await expect(verify()).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' });
    uncached.answer = () => uncached.verdict();
    await expect(verify()).resolves.toHaveProperty('principal');
  });
});

describe('concurrent calls for one token', () => {
  it.each([0, 10_000])('share one verification with a lifetime of %d', async (successLifetimeMs) => {
    cache = cacheWith({ successLifetimeMs });
    let finish = (_verdict: Verdict) => {};
    uncached.answer = () => new Promise<Verdict>((resolve) => (finish = resolve));
    const all = Promise.all(Array.from({ length: 200 }, () => verify()));
    await clock.advance(0);
    finish(uncached.verdict());
    expect(new Set(await all).size).toBe(1);
    expect(uncached.calls).toHaveLength(1);
  });
});

describe('the memory of the verdict cache', () => {
  it('holds 5000 accepted tokens, and evicts the least recently used', async () => {
    for (let n = 0; n < 5_001; n++) await verify(`token-${n}`);
    expect(uncached.calls).toHaveLength(5_001);
    await verify('token-5000');
    await verify('token-1');
    expect(uncached.calls).toHaveLength(5_001);
    await verify('token-0');
    expect(uncached.calls).toHaveLength(5_002);
  });

  it('shows no token text when it is inspected', async () => {
    await verify('a-token-that-is-a-secret');
    uncached.refuse('REJECTED');
    await verify('another-that-is-a-secret').catch(() => undefined);
    uncached.calls.length = 0;
    expect(inspect(cache, { depth: 10, showHidden: true })).not.toContain('that-is-a-secret');
  });
});

it('the verdict cache is empty after it was cleared', async () => {
  await verify();
  uncached.refuse('REJECTED');
  await verify('bad').catch(() => undefined);
  cache.clear();
  await verify().catch(() => undefined);
  await verify('bad').catch(() => undefined);
  expect(uncached.calls).toHaveLength(4);
});
