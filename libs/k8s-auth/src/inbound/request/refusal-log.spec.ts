import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../testing/fake-clock.js';
import {
  ForbiddenPrincipalError,
  InvalidTokenError,
  MissingTokenError,
  VerifierUnavailableError,
} from '../../errors.js';
import { CapturedLog } from '../../../test-support/captured-log.js';
import { principalNamed } from '../../../test-support/scripted-verifier.js';
import { shapedToken } from '../../../test-support/inbound-app.js';
import { type RefusalEntry, RefusalLog } from './refusal-log.js';

const MINUTE_MS = 60_000;

function setUp() {
  const clock = new FakeClock();
  const log = new CapturedLog();
  return { clock, log, refusals: new RefusalLog({ clock, log }) };
}

/** The log line of one refusal. */
function lineOf(refusal: Omit<RefusalEntry, 'route'>): object | undefined {
  const { log, refusals } = setUp();
  refusals.record({ route: 'GET /orders', ...refusal });
  refusals.close();
  expect(log.events).toHaveLength(1);
  return log.events[0];
}

const LONG = 'A'.repeat(600);
const missing = { error: new MissingTokenError('request has no bearer credentials'), route: 'GET /orders' };
const expired = new InvalidTokenError('EXPIRED', '"exp" has passed');

describe('a line of the refusal log', () => {
  it('contains the code, the route and the reason', () => {
    expect(lineOf({ error: missing.error })).toEqual({
      level: 'warn',
      message: 'request refused',
      code: 'ERR_K8S_AUTH_TOKEN_MISSING',
      route: 'GET /orders',
      reason: 'request has no bearer credentials',
    });
  });

  it('names the caller of an unverified token as not verified', () => {
    const token = shapedToken({ sub: 'system:serviceaccount:shop:checkout', jti: '41b9-7' });
    expect(lineOf({ error: expired, token })).toEqual({
      level: 'warn',
      message: 'request refused',
      code: 'ERR_K8S_AUTH_TOKEN_EXPIRED',
      route: 'GET /orders',
      reason: '"exp" has passed',
      sub: 'system:serviceaccount:shop:checkout',
      credentialId: 'JTI=41b9-7',
      verified: false,
    });
  });

  it.each([
    ['a token that is not a JWT', 'opaque'],
    ['no names', shapedToken({ iss: 'x' })],
    ['names that are not text', shapedToken({ sub: 7, jti: ['x'] })],
    ['empty names', shapedToken({ sub: '', jti: '' })],
    ['a name with a line break', shapedToken({ sub: 'a\nERROR fake', jti: 'a b' })],
    ['a name with an escape', shapedToken({ sub: '\u001b[31m', jti: '{"a":1}' })],
    ['names that are too long', shapedToken({ sub: 'a'.repeat(351), jti: 'b'.repeat(351) })],
  ])('does not name a caller for: %s', (_, token) => {
    expect(lineOf({ error: expired, token })).not.toHaveProperty('verified');
    expect(lineOf({ error: expired, token })).not.toHaveProperty('sub');
    expect(lineOf({ error: expired, token })).not.toHaveProperty('credentialId');
  });

  it('does not use a token inside a token as the name of the caller', () => {
    const inner = shapedToken({ sub: 'x' });
    expect(
      JSON.stringify(lineOf({ error: expired, token: shapedToken({ sub: inner, jti: inner }) })),
    ).not.toContain(inner.slice(0, 16));
  });

  it('names the verified caller', () => {
    const error = new ForbiddenPrincipalError('rule allowNamespaces refused');
    const principal = principalNamed('shop/checkout');
    expect(lineOf({ error, principal, token: 'opaque' })).toMatchObject({
      sub: 'system:serviceaccount:shop:checkout',
      credentialId: 'JTI=41b9',
      verified: true,
    });
    const { credentialId: _, ...anonymous } = principal;
    expect(lineOf({ error, principal: anonymous })).not.toHaveProperty('credentialId');
  });

  it('contains the causes of an outage', () => {
    const cause = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' });
    const error = new VerifierUnavailableError('API server is away', { cause });
    expect(lineOf({ error })).toMatchObject({
      level: 'warn',
      reason: expect.stringMatching(/^API server is away \(.*\): connect failed \(ECONNREFUSED\)$/),
    });
  });

  it('contains the stack of an unexpected error', () => {
    const error = new VerifierUnavailableError('unexpected error');
    expect(lineOf({ error, unexpected: { thrown: new TypeError('x is not a function') } })).toMatchObject({
      level: 'warn',
      reason: 'unexpected error: x is not a function',
      stack: expect.stringMatching(/^TypeError: x is not a function +at /),
    });
    expect(lineOf({ error, unexpected: { thrown: undefined } })).toMatchObject({
      level: 'warn',
      reason: 'unexpected error: unknown error',
    });
  });

  it.each([shapedToken({ sub: 'x' }), 'an-opaque+token/without.shape=='])(
    'never contains the token %s',
    (token) => {
      const thrown = new Error(`cannot read ${token}`, { cause: new Error(token) });
      thrown.stack = '';
      const error = new VerifierUnavailableError('unexpected error');
      for (const line of [
        lineOf({ error, token, unexpected: { thrown } }),
        lineOf({ error, token, unexpected: { thrown: new Error(token) } }),
        lineOf({ error: new VerifierUnavailableError(token, { cause: new Error(token) }), token }),
        lineOf({ error: new InvalidTokenError('REJECTED', `rejected: ${token}`), token }),
      ]) {
        expect(JSON.stringify(line)).not.toContain(token.slice(0, 16));
        expect(line).toHaveProperty('reason', expect.stringContaining('[token]'));
      }
    },
  );

  it.each([
    [
      'a token with unusual white space in its base64url header',
      `${Buffer.from('{ "alg":"RS256"}').toString('base64url')}.${LONG}.sig`,
    ],
    ['an opaque token', `opaque+token/${LONG}==`],
  ])('contains no part of a long token, complete or truncated: %s', (_, token) => {
    const error = new VerifierUnavailableError('unexpected error');
    for (const quoted of [token, `${token.slice(0, 200)}…`, token.slice(0, 16)]) {
      const thrown = new Error(`cannot take ${quoted}`, { cause: new Error(quoted) });
      const line = JSON.stringify([
        lineOf({ error, token, unexpected: { thrown } }),
        lineOf({ error: new VerifierUnavailableError(quoted, { cause: thrown }), token }),
      ]);
      expect(line).toContain('[token]');
      expect(line).not.toContain(token.slice(0, 16));
      expect(line).not.toContain(LONG.slice(0, 20));
    }
  });

  it.each(['e', 'request', 'fifteen-letters'])('is not changed by the short token %j', (token) => {
    const reason = 'request has fifteen-letters and e';
    expect(lineOf({ error: new MissingTokenError(reason), token })).toHaveProperty('reason', reason);
  });
});

describe('a flood of refusals', () => {
  it('is logged as 20 lines a minute and one line with the number of the others', async () => {
    const { clock, log, refusals } = setUp();
    for (let count = 0; count < 500; count++) refusals.record(missing);
    expect(log.events).toHaveLength(20);
    await clock.advance(MINUTE_MS - 1);
    expect(log.events).toHaveLength(20);
    await clock.advance(1);
    expect(log.events.slice(20)).toEqual([
      {
        level: 'warn',
        message: 'refusals suppressed',
        code: 'ERR_K8S_AUTH_TOKEN_MISSING',
        route: 'GET /orders',
        suppressed: 480,
      },
    ]);
    refusals.record(missing);
    expect(log.events).toHaveLength(22);
    expect(log.events[21]).toMatchObject({ message: 'request refused' });
  });

  it('of requests that passed says so in the line about the others', async () => {
    const { clock, log, refusals } = setUp();
    for (let count = 0; count < 25; count++) refusals.record({ ...missing, enforce: false });
    await clock.advance(MINUTE_MS);
    expect(log.events.at(-1)).toMatchObject({
      message: 'refusals suppressed',
      enforced: false,
      suppressed: 5,
    });
  });

  it('of 20 refusals is logged without a line for the others', async () => {
    const { clock, log, refusals } = setUp();
    for (let count = 0; count < 20; count++) refusals.record(missing);
    await clock.advance(MINUTE_MS);
    expect(log.events).toHaveLength(20);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not suppress lines with another code or another route', () => {
    const { log, refusals } = setUp();
    for (let count = 0; count < 30; count++) refusals.record(missing);
    refusals.record({ ...missing, error: expired });
    refusals.record({ ...missing, route: 'POST /orders' });
    expect(log.events.slice(20)).toMatchObject([
      { code: 'ERR_K8S_AUTH_TOKEN_EXPIRED', route: 'GET /orders' },
      { code: 'ERR_K8S_AUTH_TOKEN_MISSING', route: 'POST /orders' },
    ]);
  });

  it('over too many routes shares one counter for the remaining routes', async () => {
    const { clock, log, refusals } = setUp();
    for (let route = 0; route < 1_100; route++) refusals.record({ ...missing, route: `GET /${route}` });
    expect(clock.pendingTimers).toBe(1_001);
    expect(log.events).toHaveLength(1_020);
    await clock.advance(MINUTE_MS);
    expect(log.events.slice(1_020)).toEqual([
      { level: 'warn', message: 'refusals suppressed', route: '(other routes)', suppressed: 80 },
    ]);
  });

  it('is also counted on close, which leaves no timer', () => {
    const { clock, log, refusals } = setUp();
    for (let count = 0; count < 21; count++) refusals.record(missing);
    refusals.record({ ...missing, error: expired });
    refusals.close();
    expect(log.events.at(-1)).toMatchObject({ message: 'refusals suppressed', suppressed: 1 });
    expect(log.events).toHaveLength(22);
    expect(clock.pendingTimers).toBe(0);
  });
});
