import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import {
  isConnectionFailure,
  isHealthyStatus,
  isRetryableStatus,
  Pause,
  readRetryAfterMs,
  retryWaitMs,
} from './retry-policy.js';

const NOW_MS = Date.UTC(2030, 0, 1, 12, 0, 0);

describe('isRetryableStatus and isConnectionFailure', () => {
  it.each([429, 500, 503, 504])('accept status %d', (status) => expect(isRetryableStatus(status)).toBe(true));
  it.each([200, 201, 400, 401, 403, 404, 405, 501, 502])('do not accept status %d', (status) =>
    expect(isRetryableStatus(status)).toBe(false),
  );
  it.each(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'EHOSTUNREACH', 'EAI_AGAIN'])(
    'accept the connection error %s',
    (code) => expect(isConnectionFailure(Object.assign(new Error('broken'), { code }))).toBe(true),
  );
  it.each([{ code: 'ENOTFOUND' }, { code: 'CERT_HAS_EXPIRED' }, {}, undefined])(
    'do not accept the error %p',
    (error) => expect(isConnectionFailure(error)).toBe(false),
  );
});

describe('isHealthyStatus', () => {
  it.each([200, 201, 302, 400, 401, 403, 404, 409, 422])('accepts status %d', (status) =>
    expect(isHealthyStatus(status)).toBe(true),
  );
  it.each([429, 500, 502, 503, 504])('does not accept status %d', (status) =>
    expect(isHealthyStatus(status)).toBe(false),
  );
});

describe('retryWaitMs', () => {
  it('starts at 500 ms and grows by a factor of 1.5', () => {
    const waits = [2, 3, 4, 5].map((nthTry) => retryWaitMs(nthTry, () => 0));
    expect(waits).toStrictEqual([500, 750, 1125, 1687.5]);
  });

  it('adds up to 20 % of jitter', () => {
    expect(retryWaitMs(2, () => 1)).toBe(600);
    expect(retryWaitMs(2, () => 0.5)).toBe(550);
  });
});

describe('readRetryAfterMs', () => {
  it.each([
    ['3', 3_000],
    ['0', 0],
    ['99999999999', 60_000],
    ['Tue, 01 Jan 2030 12:00:07 GMT', 7_000],
    ['Tue, 01 Jan 2030 11:00:00 GMT', 0],
    ['1.5', undefined],
    ['-5', undefined],
    ['Sunday, 06-Jan-30 12:00:07 GMT', 60_000],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('converts %p to %p ms', (header, expected) => expect(readRetryAfterMs(header, NOW_MS)).toBe(expected));
});

describe('Pause', () => {
  it('lasts as long as the longest pause that was requested', async () => {
    const clock = new FakeClock();
    const pause = new Pause(clock);
    expect(pause.remainingMs()).toBe(0);
    pause.extend(3_000);
    pause.extend(1_000);
    await clock.advance(2_000);
    expect(pause.remainingMs()).toBe(1_000);
    await clock.advance(1_000);
    expect(pause.remainingMs()).toBe(0);
  });
});
