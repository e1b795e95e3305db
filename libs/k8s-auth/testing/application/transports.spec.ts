import { afterEach, describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { type INestApplication, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { Test } from '@nestjs/testing';
import { WebSocketGateway } from '@nestjs/websockets';
import { io, type Socket } from 'socket.io-client';
import {
  allowServiceAccounts,
  findPrincipal,
  K8sAuth,
  K8sAuthGuard,
  K8sAuthModule,
} from '../../src/index.js';
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

describe('a test of a connection to a gateway', () => {
  let principals: (string | undefined)[] = [];

  @WebSocketGateway()
  @K8sAuth('orders', allowServiceAccounts('shop/checkout'))
  class Gateway {
    handleConnection(client: object) {
      principals.push(findPrincipal(client)?.serviceAccount);
    }
  }
  @Module({
    imports: [K8sAuthModule.forRoot({ verifier: { kind: 'oidc-discovery' } })],
    providers: [Gateway],
  })
  class GatewayModule {}

  const sockets: Socket[] = [];
  const newGatewayBuilder = () => Test.createTestingModule({ imports: [GatewayModule] });

  /** @returns `connected`, or the code of the refusal */
  async function connect([, credentials]: [string, string] | [] = []): Promise<string> {
    const socket = io(await app.getUrl(), {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      ...(credentials !== undefined && { auth: { token: credentials } }),
    });
    sockets.push(socket);
    return new Promise((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('connect_error', ({ data }: Error & { data?: { code: string } }) =>
        resolve(data?.code ?? 'unknown'),
      );
    });
  }

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    principals = [];
  });

  it('sends callers with asCaller', async () => {
    await start(testK8sAuth(newGatewayBuilder()));
    expect(await connect(asCaller('shop/checkout'))).toBe('connected');
    expect(await connect(asCaller('shop/admin'))).toBe('FORBIDDEN');
    expect(await connect(asRefused(503))).toBe('SERVICE_UNAVAILABLE');
    expect(await connect()).toBe('UNAUTHENTICATED');
    expect(principals).toEqual(['checkout']);
  });

  it('has a default caller', async () => {
    await start(testK8sAuth(newGatewayBuilder(), { as: 'shop/checkout' }));
    expect(await connect()).toBe('connected');
    expect(await connect(asCaller('shop/admin'))).toBe('FORBIDDEN');
    expect(principals).toEqual(['checkout']);
  });

  it('replaces the guard with authenticateAs', async () => {
    const principal = createTestPrincipal({ namespace: 'shop', serviceAccount: 'admin' });
    await start(
      testK8sAuth(newGatewayBuilder()).overrideGuard(K8sAuthGuard).useValue(authenticateAs(principal)),
    );
    expect(await connect()).toBe('connected');
    expect(principals).toEqual(['admin']);
  });
});
