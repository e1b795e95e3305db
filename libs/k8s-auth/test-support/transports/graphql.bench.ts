import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { UseInterceptors } from '@nestjs/common';
import {
  Args,
  Context,
  Field,
  GraphQLModule,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { allowServiceAccounts } from '../../src/authorization/rules.js';
import { Caller, K8sAuth, Public } from '../../src/inbound/k8s-auth.decorators.js';
import { type AdapterName, newAdapter } from '../inbound-app.js';
import { PrincipalInterceptor } from './principal.interceptor.js';
import { startBench } from './start-bench.js';
import { type Answer, type BenchSetup, type HandlerName, type TransportBench } from './transport-bench.js';

@ObjectType()
export class Order {
  @Field() id!: string;
}

interface GraphqlContext {
  readonly req: { headers?: object; raw?: object; connectionParams?: object };
}

/** A source of events for subscriptions. */
export class Ticks {
  private waiting: ((result: IteratorResult<object>) => void)[] = [];

  emit(value: object): void {
    for (const resolve of this.waiting.splice(0)) resolve({ done: false, value });
  }

  iterator(): AsyncIterableIterator<object> {
    return {
      next: () => new Promise((resolve) => void this.waiting.push(resolve)),
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Ends the waiting subscriptions. */
  end(): void {
    for (const resolve of this.waiting.splice(0)) resolve({ done: true, value: undefined });
  }
}

export const ticks = new Ticks();

@Resolver(() => Order)
@UseInterceptors(PrincipalInterceptor)
export class OrdersResolver {
  @Query(() => String) @K8sAuth('orders') whoami(@Caller('username') username: string) {
    return username;
  }
  @Query(() => String) @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
    return 'admin';
  }
  @Query(() => String) @Public() open(@Caller('username') username?: string) {
    return username ?? 'nobody';
  }
  @Query(() => String) plain() {
    return 'plain';
  }
  @Query(() => String) @K8sAuth('orders') leak(@Context() { req }: GraphqlContext) {
    return JSON.stringify([
      req.headers,
      (req.raw as { headers?: object } | undefined)?.headers,
      req.connectionParams,
    ]);
  }
  @Mutation(() => String) @K8sAuth('orders') rename(@Args('to') to: string, @Caller('username') by: string) {
    return `${to} by ${by}`;
  }
  @Query(() => [Order]) @K8sAuth('orders') list(): Order[] {
    return [{ id: '1' }, { id: '2' }];
  }
  @Query(() => [Order]) @Public() samples(): Order[] {
    return [{ id: '3' }];
  }
  @Query(() => [Order]) unlisted(): Order[] {
    return [{ id: '4' }];
  }
  /** A field resolver without a decorator. */
  @ResolveField(() => String) title(@Parent() { id }: Order) {
    return `order ${id}`;
  }
  @Subscription(() => String, { resolve: ({ tick }: { tick: string }) => tick })
  @K8sAuth('orders')
  changed() {
    return ticks.iterator();
  }
}

export type GraphqlDriver = 'apollo' | 'mercurius';

export interface GraphqlSetup extends BenchSetup {
  readonly fieldResolverEnhancers?: 'guards'[];
  readonly resolver?: new () => object;
  /** Only for Mercurius. */
  readonly loaders?: MercuriusDriverConfig['loaders'];
}

export async function startGraphql(
  driver: GraphqlDriver,
  adapter: AdapterName,
  { fieldResolverEnhancers = [], resolver = OrdersResolver, loaders, ...setup }: GraphqlSetup = {},
) {
  const common = { autoSchemaFile: true, fieldResolverEnhancers } as const;
  const module =
    driver === 'apollo'
      ? GraphQLModule.forRoot<ApolloDriverConfig>({
          ...common,
          driver: ApolloDriver,
          playground: false,
          subscriptions: { 'graphql-ws': true },
        })
      : GraphQLModule.forRoot<MercuriusDriverConfig>({
          ...common,
          driver: MercuriusDriver,
          subscription: true,
          ...(loaders && { loaders }),
        });
  const bench = await startBench(
    setup,
    { imports: [module], providers: [resolver] },
    { adapter: newAdapter(adapter) },
  );
  const send = async (query: string, ...credentials: string[]): Promise<GraphqlResponse> => {
    const response = await fetch(`${bench.url}/graphql`, {
      method: 'POST',
      headers: [
        ['content-type', 'application/json'],
        ...credentials.map((one): [string, string] => ['authorization', one]),
      ],
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as GraphqlResponse;
  };
  const subscribe = (authorization?: string) => {
    const client = createClient({
      url: `${bench.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      lazy: false,
      retryAttempts: 0,
      onNonLazyError: () => undefined,
      ...(authorization !== undefined && { connectionParams: { authorization } }),
    });
    return client;
  };
  return { ...bench, send, subscribe };
}

export interface GraphqlResponse {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: { readonly code: string; readonly retryAfterSeconds?: number };
  }[];
}

export function graphqlBench(driver: GraphqlDriver, adapter: AdapterName): TransportBench {
  return {
    name: `GraphQL with ${driver} on ${adapter}`,
    // fetch joins repeated headers.
    sendsOneCredential: true,
    async start(setup = {}) {
      const bench = await startGraphql(driver, adapter, setup);
      const call = async (handler: HandlerName, ...credentials: string[]): Promise<Answer> => {
        const { data, errors } = await bench.send(`{ ${handler} }`, ...credentials);
        const [error] = errors ?? [];
        if (!error) return { data: String(data?.[handler]) };
        const { code, retryAfterSeconds } = error.extensions;
        return { code, body: { ...error, path: undefined }, retryAfterSeconds };
      };
      return { ...bench, call };
    },
  };
}
