import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '../testing/fake-clock.js';
import { CapturedLog } from '../test-support/captured-log.js';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { type K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Verifier } from './verifiers/verifier.js';
import { type Readiness } from './util/readiness.js';

type Tokens = Readonly<Record<string, boolean>>;

/** Of a service whose verifier says in turn what is given. */
function setUp(inbound: readonly (Readiness | undefined)[], tokens: Tokens) {
  const [first, ...others] = inbound;
  let now = first;
  const verifier = first && ({ readiness: () => now } as Verifier);
  const states = () => Object.entries(tokens).map(([origin, hasToken]) => ({ origin, hasToken }));
  const log = new CapturedLog();
  const readiness = new K8sAuthReadiness(verifier, { states } as unknown as K8sAuthTokenSource, log);
  return { readiness, log, next: () => (now = others.shift()) };
}

const check = (inbound: Readiness | undefined, tokens: Tokens) => setUp([inbound], tokens).readiness.check();

describe('K8sAuthReadiness', () => {
  it.each<[string, Readiness | undefined, Record<string, boolean>, Readiness]>([
    ['a client with its tokens', undefined, { 'http://a': true }, { status: 'ready' }],
    [
      'a client without one',
      undefined,
      { 'http://a': true, 'http://b': false },
      { status: 'not-ready', reason: 'no token for http://b' },
    ],
    ['a server', { status: 'ready' }, {}, { status: 'ready' }],
    [
      'a server in an outage',
      { status: 'degraded', reason: 'x' },
      { 'http://a': true },
      { status: 'degraded', reason: 'x' },
    ],
    [
      'an outage and no token',
      { status: 'degraded', reason: 'x' },
      { 'http://a': false },
      { status: 'not-ready', reason: 'no token for http://a' },
    ],
    [
      'no keys yet',
      { status: 'not-ready', reason: 'no keys' },
      { 'http://a': false },
      { status: 'not-ready', reason: 'no keys' },
    ],
  ])('returns the readiness of %s', (_, inbound, tokens, expected) => {
    expect(check(inbound, tokens)).toEqual(expected);
  });

  it('does not log a warning for the state directly after the start', () => {
    const starting: Readiness = { status: 'not-ready', reason: 'keys have not been fetched yet' };
    const failing: Readiness = { status: 'not-ready', reason: 'ECONNREFUSED' };
    const { readiness, log, next } = setUp([starting, failing, { status: 'ready' }], {});
    for (let count = 0; count < 3; count++) {
      readiness.check();
      next();
    }
    expect(log.events.map(({ level, reason }) => ({ level, reason }))).toEqual([
      { level: 'log', reason: starting.reason },
      { level: 'warn', reason: failing.reason },
      { level: 'log', reason: undefined },
    ]);
  });

  it('logs each change with its reason, and nothing without a change', () => {
    const ready: Readiness = { status: 'ready' };
    const unreachable: Readiness = { status: 'degraded', reason: 'ECONNREFUSED' };
    const refused: Readiness = { status: 'not-ready', reason: 'no right' };
    const { readiness, log, next } = setUp([ready, unreachable, { ...unreachable }, refused, ready], {});
    for (let count = 0; count < 5; count++) {
      readiness.check();
      readiness.check();
      next();
    }
    const message = 'readiness has changed';
    expect(log.events).toEqual([
      { level: 'warn', message, ...unreachable },
      { level: 'warn', message, ...refused },
      { level: 'log', message, ...ready },
    ]);
  });

  it('logs once that the service is ready, while no endpoint asks, and not the state directly after the start', async () => {
    const starting: Readiness = { status: 'not-ready', reason: 'keys have not been fetched yet' };
    const failing: Readiness = { status: 'not-ready', reason: 'ECONNREFUSED' };
    const { readiness, log, next } = setUp([starting, failing, { status: 'ready' }], {});
    const clock = new FakeClock();
    readiness.watchUntilReady(clock);
    await clock.advance(1_000);
    expect(log.events).toEqual([]);
    next();
    await clock.advance(60_000);
    next();
    await clock.advance(60_000);
    expect(log.events.map(({ level, status }) => ({ level, status }))).toEqual([
      { level: 'warn', status: 'not-ready' },
      { level: 'log', status: 'ready' },
    ]);
  });

  it('logs once that the service is ready if it is ready from the start', async () => {
    const { readiness, log } = setUp([{ status: 'ready' }], {});
    const clock = new FakeClock();
    readiness.watchUntilReady(clock);
    await clock.advance(60_000);
    readiness.check();
    expect(log.events).toEqual([{ level: 'log', message: 'readiness has changed', status: 'ready' }]);
  });

  it('logs nothing after the end of the application', async () => {
    const { readiness, log } = setUp([{ status: 'ready' }], {});
    const clock = new FakeClock();
    readiness.watchUntilReady(clock)();
    await clock.advance(60_000);
    expect(log.events).toEqual([]);
  });
});
