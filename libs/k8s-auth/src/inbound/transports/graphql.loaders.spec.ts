import { Logger } from '@nestjs/common';
import { Field, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type GraphqlSetup, startGraphql } from '../../../test-support/transports/graphql.bench.js';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

@ObjectType()
class Item {
  @Field() id!: string;
  @Field({ nullable: true }) stock?: string;
}

@Resolver(() => Item)
class ItemsResolver {
  @Query(() => [Item]) @K8sAuth('orders') items(): Item[] {
    return [{ id: '1' }, { id: '2' }];
  }
  @Query(() => [Item]) @Public() samples(): Item[] {
    return [{ id: '3' }];
  }
  @Query(() => [Item], { name: 'renamed' }) @K8sAuth('orders') other(): Item[] {
    return [];
  }
  @ResolveField(() => String) @K8sAuth('orders', allowServiceAccounts('shop/admin')) price(
    @Parent() { id }: Item,
  ) {
    return `price of ${id}`;
  }
}

@Resolver(() => Item)
class PlainResolver {
  @Query(() => [Item]) @K8sAuth('orders') items(): Item[] {
    return [{ id: '1' }, { id: '2' }];
  }
}

let loaded = 0;
const loader = (queries: readonly unknown[]) => {
  loaded++;
  return Promise.resolve(queries.map(() => 'loaded'));
};

let bench: Awaited<ReturnType<typeof startGraphql>> | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
  loaded = 0;
});

describe('a loader of Mercurius', () => {
  const start = async (setup: GraphqlSetup) => {
    bench = await startGraphql('mercurius', 'fastify', { resolver: ItemsResolver, ...setup });
    return bench;
  };
  const guards: GraphqlSetup = { fieldResolverEnhancers: ['guards'] };

  it.each<GraphqlSetup>([{}, guards])(
    'runs below a root field that the guard has accepted: %j',
    async (setup) => {
      const resolver = 'fieldResolverEnhancers' in setup ? ItemsResolver : PlainResolver;
      const { send } = await start({ ...setup, resolver, loaders: { Item: { stock: loader } } });
      expect(await send('{ items { stock } }')).toMatchObject({
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      });
      expect(loaded).toBe(0);
      expect(await send('{ items { stock } }', 'Bearer checkout')).toEqual({
        data: { items: [{ stock: 'loaded' }, { stock: 'loaded' }] },
      });
      expect(loaded).toBe(1);
    },
  );

  it('does not open the protected field resolvers beside it', async () => {
    const { send } = await start({ ...guards, loaders: { Item: { stock: loader } } });
    expect(await send('{ samples { price } }', 'Bearer checkout')).toMatchObject({
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    expect(await send('{ samples { price } }', 'Bearer admin')).toEqual({
      data: { samples: [{ price: 'price of 3' }] },
    });
  });

  it.each<[string, GraphqlSetup['loaders'], string]>([
    ['a protected field resolver', { Item: { price: loader } }, 'ItemsResolver.price'],
    ['a protected query', { Query: { items: loader } }, 'ItemsResolver.items'],
    ['a protected query with a name of its own', { Query: { renamed: { loader } } }, 'ItemsResolver.other'],
  ])('fails startup if it replaces %s, because no guard would run', async (_, loaders, label) => {
    await expect(start({ ...guards, loaders })).rejects.toThrow(
      `${label}: expected no loader of Mercurius for`,
    );
  });

  it('is named by startup if it resolves a root field', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    await start({ ...guards, loaders: { Query: { samples: loader } } });
    expect(warn).toHaveBeenCalledWith({
      message: 'root fields with a loader of Mercurius are open: Nest runs no guard on loaders',
      fields: ['Query.samples'],
    });
    warn.mockRestore();
  });
});
