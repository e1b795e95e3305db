import { afterEach, describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { type INestApplication, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { Test } from '@nestjs/testing';
import { K8sAuthGuard, K8sAuthModule } from '../../src/index.js';
import { OrdersResolver } from '../../test-support/transports/graphql.bench.js';
import { asCaller, asRefused, authenticateAs, createTestPrincipal, testK8sAuth } from '../index.js';

@Module({
  imports: [
    K8sAuthModule.forRoot({ verifier: { kind: 'oidc-discovery' } }),
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
  ],
  providers: [OrdersResolver],
})
class AppModule {}

let app: INestApplication;
afterEach(() => app.close());

async function ask(query: string, headers: [string, string][] = []): Promise<string> {
  const response = await fetch(`${await app.getUrl()}/graphql`, {
    method: 'POST',
    headers: [['content-type', 'application/json'], ...headers],
    body: JSON.stringify({ query }),
  });
  return response.text();
}

async function start(builder: ReturnType<typeof Test.createTestingModule>): Promise<void> {
  app = (await builder.compile()).createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
}

const newBuilder = () => Test.createTestingModule({ imports: [AppModule] });

describe('a test of a resolver', () => {
  it('sends callers with asCaller', async () => {
    await start(testK8sAuth(newBuilder()));
    expect(await ask('{ whoami }', [asCaller('shop/checkout')])).toContain('serviceaccount:shop:checkout');
    expect(await ask('{ admin }', [asCaller('shop/checkout')])).toContain('FORBIDDEN');
    expect(await ask('{ whoami }', [asRefused(401)])).toContain('UNAUTHENTICATED');
    expect(await ask('{ whoami }')).toContain('UNAUTHENTICATED');
  });

  it('has a default caller', async () => {
    await start(testK8sAuth(newBuilder(), { as: 'shop/admin' }));
    expect(await ask('{ whoami admin }')).toContain('serviceaccount:shop:admin');
  });

  it('replaces the guard with authenticateAs', async () => {
    const principal = createTestPrincipal({ namespace: 'shop', serviceAccount: 'checkout' });
    await start(testK8sAuth(newBuilder()).overrideGuard(K8sAuthGuard).useValue(authenticateAs(principal)));
    expect(await ask('{ whoami admin }')).toContain('serviceaccount:shop:checkout');
  });
});
