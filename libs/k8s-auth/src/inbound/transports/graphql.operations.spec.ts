import { afterEach, describe, expect, it } from '@jest/globals';
import { type Client } from 'graphql-ws';
import {
  type GraphqlDriver,
  type GraphqlSetup,
  startGraphql,
  ticks,
} from '../../../test-support/transports/graphql.bench.js';
import { TOKEN_LIFETIME_MS } from '../../../test-support/transports/transport-bench.js';
import { until } from '../../../test-support/until.js';

const CHECKOUT = 'system:serviceaccount:shop:checkout';

type Bench = Awaited<ReturnType<typeof startGraphql>>;
let bench: Bench;
let client: Client | undefined;

afterEach(async () => {
  await client?.dispose();
  client = undefined;
  ticks.end();
  await bench.close();
});

describe.each<[GraphqlDriver, 'express' | 'fastify']>([
  ['apollo', 'express'],
  ['mercurius', 'fastify'],
])('an operation of GraphQL with %s', (driver, adapter) => {
  const start = async (setup?: GraphqlSetup) => (bench = await startGraphql(driver, adapter, setup));

  it('is verified once, for ten fields that run at the same time', async () => {
    const { send, verifier } = await start();
    const fields = Array.from({ length: 10 }, (_, index) => `f${index}: whoami`).join(' ');
    const { data } = await send(`{ ${fields} }`, 'Bearer checkout');
    expect(Object.values(data ?? {})).toEqual(Array.from({ length: 10 }, () => `${CHECKOUT}, checkout`));
    expect(verifier.asked).toHaveLength(1);
  });

  it('asks the rules of each field, and answers the other fields', async () => {
    const { send, verifier } = await start();
    const { errors } = await send('{ whoami leak }', 'Bearer checkout');
    expect(errors).toBeUndefined();
    const mixed = await send('{ open admin }', 'Bearer checkout');
    expect(mixed.errors).toMatchObject([{ path: ['admin'], extensions: { code: 'FORBIDDEN' } }]);
    expect(verifier.asked).toHaveLength(2);
  });

  it('is guarded for mutations', async () => {
    const { send } = await start();
    const mutation = 'mutation { one: rename(to: "a") two: rename(to: "b") }';
    expect((await send(mutation)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect((await send(mutation, 'Bearer checkout')).data).toEqual({
      one: `a by ${CHECKOUT}`,
      two: `b by ${CHECKOUT}`,
    });
  });

  it.each<[string, 'guards'[]]>([
    ['guards', ['guards']],
    ['no guards', []],
  ])('answers fields without a decorator below an answered root field (%s on fields)', async (_, on) => {
    const { send, verifier } = await start({ fieldResolverEnhancers: on });
    const list = [{ title: 'order 1' }, { title: 'order 2' }];
    expect((await send('{ list { title } }', 'Bearer checkout')).data).toEqual({ list });
    expect(verifier.asked).toHaveLength(1);
    expect((await send('{ list { title } }')).errors).toMatchObject([{ path: ['list'] }]);
    expect((await send('{ samples { title } }')).data).toEqual({ samples: [{ title: 'order 3' }] });
    expect((await send('{ samples { title } unlisted { title } }')).errors).toMatchObject([
      { path: ['unlisted'], extensions: { code: 'FORBIDDEN' } },
    ]);
  });

  it('that subscribes is guarded by the parameters of the connection', async () => {
    const { subscribe, verifier } = await start();
    client = subscribe('Bearer checkout');
    const received: unknown[] = [];
    const done = new Promise<void>((resolve) =>
      client?.subscribe(
        { query: 'subscription { changed }' },
        { next: ({ data }) => void received.push(data), error: () => resolve(), complete: () => resolve() },
      ),
    );
    await until(() => {
      ticks.emit({ tick: 'first' });
      return received.length > 0;
    });
    expect(received[0]).toEqual({ changed: 'first' });
    expect(verifier.asked).toHaveLength(1);
    await client.dispose();
    await done;
  });

  it.each<[string, string | undefined]>([
    ['no credentials', undefined],
    ['a rejected token', 'Bearer forged'],
  ])('that subscribes is refused with %s', async (_, authorization) => {
    const { subscribe } = await start();
    client = subscribe(authorization);
    const outcome = await new Promise<unknown>((resolve) =>
      client?.subscribe(
        { query: 'subscription { changed }' },
        { next: resolve, error: resolve, complete: () => resolve('complete') },
      ),
    );
    expect(JSON.stringify(outcome)).toContain('"code":"UNAUTHENTICATED"');
  });

  it('that subscribes ends when the token expires', async () => {
    const { subscribe, clock, verifier } = await start();
    client = subscribe('Bearer checkout');
    const closed = new Promise<void>((resolve) => client?.on('closed', () => resolve()));
    client.subscribe(
      { query: 'subscription { changed }' },
      { next: () => undefined, error: () => undefined, complete: () => undefined },
    );
    await until(() => verifier.asked.length > 0);
    const pending = clock.pendingTimers;
    expect(pending).toBeGreaterThan(0);
    await clock.advance(TOKEN_LIFETIME_MS);
    await closed;
  });
});
