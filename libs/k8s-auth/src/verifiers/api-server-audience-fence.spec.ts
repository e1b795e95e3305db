import { beforeEach, describe, expect, it } from '@jest/globals';
import { createTestPrincipal, FakeClock } from '../../testing/index.js';
import { VerifierUnavailableError } from '../errors.js';
import { type LogEvent } from '../util/log.js';
import { ApiServerAudienceFence } from './api-server-audience-fence.js';
import { type TokenVerifier, type Verdict } from './token-verifier.js';

describe('ApiServerAudienceFence', () => {
  const verdict: Verdict = { principal: createTestPrincipal(), validUntilMs: Infinity };
  let known: readonly string[] | undefined;
  let asked: number;
  let said: LogEvent[];
  let clock: FakeClock;
  let fence: ApiServerAudienceFence;

  beforeEach(() => {
    known = undefined;
    asked = 0;
    said = [];
    clock = new FakeClock();
    const verifier: TokenVerifier = {
      kind: 'scripted',
      verify: () => verdict,
      hydrate: () => undefined,
      readiness: () => ({ status: 'ready' }),
      apiServerAudiences: () => Promise.resolve((asked++, known)),
      close: () => Promise.resolve(),
    };
    const keep = (event: LogEvent) => void said.push(event);
    fence = new ApiServerAudienceFence(verifier, { clock, log: { log: keep, warn: keep, error: keep } });
  });

  it('answers at once when the audiences are known and others', async () => {
    known = ['https://issuer.example'];
    await fence.apiServerAudiences();
    expect(fence.verify('token', ['orders'])).toBe(verdict);
    expect(asked).toBe(1);
  });

  it('refuses everybody, as its own trouble, when the boot already knew', async () => {
    known = ['orders'];
    await fence.apiServerAudiences();
    expect(() => fence.verify('token', ['orders'])).toThrow(VerifierUnavailableError);
  });

  it('refuses as soon as the first verdict made them known, and says so once', async () => {
    known = ['orders'];
    await expect(fence.verify('token', ['orders'])).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
    });
    expect(() => fence.verify('token', ['orders'])).toThrow(VerifierUnavailableError);
    expect(said).toEqual([expect.objectContaining({ audiences: ['orders'] })]);
  });

  it('lets callers through while nobody can tell, and asks again every 10 s', async () => {
    for (let call = 0; call < 3; call++) expect(await fence.verify('token', ['orders'])).toBe(verdict);
    expect(asked).toBe(1);
    await clock.advance(10_000);
    known = ['orders'];
    await expect(fence.verify('token', ['orders'])).rejects.toThrow(VerifierUnavailableError);
  });

  it('is its verifier in all else', async () => {
    fence.hydrate();
    expect([fence.kind, fence.readiness()]).toEqual(['scripted', { status: 'ready' }]);
    await fence.close();
  });
});
