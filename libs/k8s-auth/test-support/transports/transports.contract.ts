import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../until.js';
import {
  type Answer,
  type BenchSetup,
  type RunningBench,
  TOKEN_LIFETIME_MS,
  type TransportBench,
} from './transport-bench.js';

const CHECKOUT = 'system:serviceaccount:shop:checkout, checkout';

/** The behaviour of the guard that is the same on every transport. Each bench has a real server and a real client. */
// eslint-disable-next-line jest/no-export -- a suite that several specs run
export function describeTransport(bench: TransportBench): void {
  let running: RunningBench | undefined;
  const start = async (setup?: BenchSetup) => (running = await bench.start(setup));
  afterEach(async () => {
    await running?.close();
    running = undefined;
  });

  const codeOf = (answer: Answer) => ('code' in answer ? answer.code : answer.data);

  describe(`the guard on ${bench.name}`, () => {
    it('accepts a verified caller, and passes it to @Caller and getPrincipal', async () => {
      const { call, verifier } = await start();
      expect(await call('whoami', 'Bearer checkout')).toEqual({ data: CHECKOUT });
      expect(verifier.asked).toEqual([{ token: 'checkout', audiences: ['orders'] }]);
    });

    it.each<[string, string[], string]>([
      ['no credentials', [], 'ERR_K8S_AUTH_TOKEN_MISSING'],
      ['malformed credentials', ['Bearer not one token'], 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED'],
      ['a rejected token', ['Bearer forged'], 'ERR_K8S_AUTH_TOKEN_SIGNATURE'],
    ])('refuses %s with UNAUTHENTICATED', async (_, credentials, code) => {
      const { call, log } = await start();
      expect(codeOf(await call('whoami', ...credentials))).toBe('UNAUTHENTICATED');
      expect(log.events).toMatchObject([{ level: 'warn', code }]);
    });

    if (!bench.sendsOneCredential) {
      it('refuses repeated credentials', async () => {
        const { call, log, verifier } = await start();
        const answer = await call('whoami', 'Bearer checkout', 'Bearer checkout');
        expect(codeOf(answer)).toBe('UNAUTHENTICATED');
        expect(log.events).toMatchObject([{ code: 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED' }]);
        expect(verifier.asked).toEqual([]);
      });
    }

    it('sends the same body for every reason, without the reason and the token', async () => {
      const { call } = await start();
      const answers = [
        await call('whoami'),
        await call('whoami', 'Bearer not one token'),
        await call('whoami', 'Bearer forged'),
      ];
      const bodies = answers.map((answer) => JSON.stringify('body' in answer ? answer.body : answer));
      expect(new Set(bodies).size).toBe(1);
      expect(bodies[0]).not.toMatch(/ERR_K8S|forged|unknown token|SIGNATURE/);
    });

    it('refuses a caller that a rule does not allow with FORBIDDEN', async () => {
      const { call, log } = await start();
      expect(codeOf(await call('admin', 'Bearer checkout'))).toBe('FORBIDDEN');
      expect(await call('admin', 'Bearer admin')).toEqual({ data: 'admin' });
      expect(log.events).toMatchObject([{ code: 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN', verified: true }]);
    });

    it('refuses with SERVICE_UNAVAILABLE and a retry hint, if the token cannot be verified', async () => {
      const { call } = await start();
      expect(await call('whoami', 'Bearer outage')).toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
        retryAfterSeconds: 3,
      });
    });

    it('passes public handlers, with and without a token', async () => {
      const { call, verifier } = await start();
      expect(await call('open')).toEqual({ data: 'nobody' });
      expect(await call('open', 'Bearer checkout')).toEqual({ data: 'nobody' });
      expect(verifier.asked).toEqual([]);
    });

    it('refuses handlers without a decorator, if the guard is global', async () => {
      const { call, log } = await start({ guardIsGlobal: true });
      expect(codeOf(await call('plain', 'Bearer checkout'))).toBe('FORBIDDEN');
      expect(log.events).toMatchObject([{ code: 'ERR_K8S_AUTH_ROUTE_UNDECORATED' }]);
    });

    it('passes handlers without a decorator, if the guard is not global', async () => {
      const { call } = await start({ guardIsGlobal: false });
      expect(await call('plain')).toEqual({ data: 'plain' });
      expect(codeOf(await call('whoami'))).toBe('UNAUTHENTICATED');
      expect(await call('whoami', 'Bearer checkout')).toEqual({ data: CHECKOUT });
    });

    it('removes the credentials before the handler runs', async () => {
      const { call } = await start();
      const answer = await call('leak', 'Bearer checkout');
      expect(answer).toEqual({ data: expect.not.stringMatching(/bearer|checkout/i) });
    });
  });
}

/** The behaviour on transports whose connections stay open between messages. */
// eslint-disable-next-line jest/no-export -- a suite that several specs run
export function describeLongLivedConnections(bench: TransportBench): void {
  let running: RunningBench | undefined;
  afterEach(() => running?.close());

  async function connect(setup?: BenchSetup) {
    running = await bench.start(setup);
    const connection = await running.connect?.('Bearer checkout');
    if (!connection) throw new Error('the bench has no connections');
    return { ...running, connection };
  }

  describe(`a connection of ${bench.name}`, () => {
    it('is checked for each message', async () => {
      const { connection, verifier } = await connect();
      for (let message = 1; message <= 3; message++) {
        expect(await connection.call('whoami')).toEqual({ data: CHECKOUT });
        expect(verifier.asked).toHaveLength(message);
      }
    });

    it('is closed when the token expires', async () => {
      const { connection, clock } = await connect();
      expect(await connection.call('whoami')).toEqual({ data: CHECKOUT });
      await clock.advance(TOKEN_LIFETIME_MS - 1);
      expect(await connection.call('whoami')).toEqual({ data: CHECKOUT });
      await clock.advance(1);
      await connection.closed;
    });

    it('stays open with option longLivedConnections, and its messages are refused', async () => {
      const { connection, clock } = await connect({ longLivedConnections: 'stay-open' });
      expect(await connection.call('whoami')).toEqual({ data: CHECKOUT });
      await clock.advance(TOKEN_LIFETIME_MS);
      expect(await connection.call('whoami')).toMatchObject({ code: 'UNAUTHENTICATED' });
      expect(await connection.call('open')).toEqual({ data: 'nobody' });
    });

    it('leaves no timer behind when the client closes it', async () => {
      const { connection, clock } = await connect();
      const before = clock.pendingTimers;
      expect(await connection.call('whoami')).toEqual({ data: CHECKOUT });
      expect(clock.pendingTimers).toBe(before + 1);
      connection.close();
      await until(() => clock.pendingTimers === before);
    });
  });
}
