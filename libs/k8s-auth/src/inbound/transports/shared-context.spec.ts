import { ApolloDriver } from '@nestjs/apollo';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import { describe, expect, it } from '@jest/globals';
import { newAdapter } from '../../../test-support/inbound-app.js';
import { startBench } from '../../../test-support/transports/start-bench.js';
import { Caller, K8sAuth } from '../k8s-auth.decorators.js';

@Resolver()
class WhoamiResolver {
  @Query(() => String)
  @K8sAuth('orders')
  whoami(@Caller('username') username?: string): string {
    return username ?? 'nobody';
  }
}

async function start(adapter: 'express' | 'fastify', options: object, enforce = true) {
  const graphql = GraphQLModule.forRoot({ autoSchemaFile: true, ...options } as never);
  const bench = await startBench(
    {},
    { imports: [graphql], providers: [WhoamiResolver], enforce },
    { adapter: newAdapter(adapter) },
  );
  const ask = async (token?: string) => {
    const response = await fetch(`${bench.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query: '{ whoami }' }),
    });
    return response.text();
  };
  return { ask, log: bench.log, close: () => bench.close() };
}

const sharedBy = () => {
  const shared = { tag: 'of the application' };
  return () => shared;
};

describe('an operation of Mercurius whose context belongs to several requests', () => {
  it.each<[string, object]>([
    ['a static object', { context: { tag: 'static' } }],
    ['a function that returns one object', { context: sharedBy() }],
  ])('is refused with 503 (%s), because nothing shows whose request it is', async (_, options) => {
    const { ask, close } = await start('fastify', { driver: MercuriusDriver, ...options });
    expect(await ask('checkout')).toContain('shop:checkout');
    for (const token of [undefined, 'forged', 'admin', 'checkout']) {
      const answer = await ask(token);
      expect(answer).toContain('SERVICE_UNAVAILABLE');
      expect(answer).not.toContain('shop:');
    }
    await close();
  });

  it('passes without a caller if its handler is not enforced, and is logged once', async () => {
    const { ask, log, close } = await start(
      'fastify',
      { driver: MercuriusDriver, context: sharedBy() },
      false,
    );
    expect(await ask('checkout')).toContain('shop:checkout');
    for (const token of [undefined, 'forged', 'admin', 'checkout'])
      expect(await ask(token)).toBe('{"data":{"whoami":"nobody"}}');
    expect(log.events.filter(({ code }) => code === 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE')).toHaveLength(4);
    await close();
  });
});

it('an operation of Apollo never gets the caller of another request, also if the application returns one object', async () => {
  const { ask, close } = await start('express', { driver: ApolloDriver, context: sharedBy() });
  expect(await ask('checkout')).toContain('shop:checkout');
  // Nest 12 copies the object for each request. Nest 11 leaves the first request in it, so the others are refused.
  expect(await ask()).toMatch(/UNAUTHENTICATED|SERVICE_UNAVAILABLE/);
  expect(await ask('forged')).toMatch(/UNAUTHENTICATED|SERVICE_UNAVAILABLE/);
  expect(await ask('admin')).toMatch(/shop:admin|SERVICE_UNAVAILABLE/);
  await close();
});
