import { Controller, Get, Injectable, Module, SetMetadata } from '@nestjs/common';
import { GUARDS_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AppSetup, closeApps, startupMistakes } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

const withProviders = (providers: AppSetup['providers'], imports: AppSetup['imports'] = []) =>
  startupMistakes({
    controllers: [],
    providers,
    imports,
    configure: (app) => app.useWebSocketAdapter(new WsAdapter(app)),
  });

const misplaced = (label: string, decorator = '@K8sAuth') =>
  `${label}: ${decorator} has no effect here, because Nest runs guards only on routes and message handlers; move it to a controller`;

// The same metadata as the decorators of @nestjs/graphql.
const Query = () => SetMetadata('graphql:resolver_type', 'Query');
const ResolveField = () => SetMetadata('graphql:resolve_property', true);

afterEach(closeApps);

describe('a decorator where Nest runs no guard', () => {
  @Injectable()
  class Service {
    @K8sAuth('orders') create() {}
    @Public() open() {}
    plain() {}
    @K8sAuth('orders') static help() {}
  }
  const ofService = [
    misplaced('Service.create'),
    misplaced('Service.open', '@Public'),
    misplaced('Service.help (static)'),
  ];

  it('fails startup on methods of a provider, for each kind of provider', async () => {
    class Heir extends Service {}
    expect(await withProviders([Service])).toEqual(ofService);
    expect(await withProviders([{ provide: 'token', useClass: Service }])).toEqual(ofService);
    expect(await withProviders([{ provide: 'token', useFactory: () => new Service() }])).toEqual(ofService);
    expect(await withProviders([{ provide: 'token', useValue: new Service() }])).toEqual(ofService);
    expect(await withProviders([Heir])).toContain(misplaced('Heir.create'));
  });

  it('fails startup on a class without handlers', async () => {
    @K8sAuth('orders')
    class Guarded {
      find() {}
    }
    @Public()
    @Module({})
    class OpenModule {}
    expect(await withProviders([Guarded], [OpenModule])).toEqual(
      expect.arrayContaining([misplaced('Guarded'), misplaced('OpenModule', '@Public')]),
    );
  });

  it('fails startup on a method of a controller that is not a handler', async () => {
    @Controller()
    class Orders {
      @Get() @K8sAuth('orders') list() {}
      @K8sAuth('orders') helper() {}
      @MessagePattern('sum') @K8sAuth('orders') sum(_data: unknown) {}
      @EventPattern('sent') @K8sAuth('orders') sent(_data: unknown) {}
      @Public() static open() {}
    }
    expect(await startupMistakes({ controllers: [Orders] })).toEqual([
      misplaced('Orders.helper'),
      misplaced('Orders.open (static)', '@Public'),
    ]);
  });

  it('fails startup on a method whose name is a symbol', async () => {
    const name = Symbol('named');
    @Controller()
    class Named {
      @Get() @K8sAuth('orders') [name]() {}
    }
    expect(await startupMistakes({ controllers: [Named] })).toEqual([misplaced('Named.Symbol(named)')]);
  });

  it('fails startup on hooks of a gateway, but not on handleConnection and on its message handlers', async () => {
    @WebSocketGateway()
    class Gateway {
      @K8sAuth('orders') afterInit() {}
      @K8sAuth('orders') handleConnection() {}
      @K8sAuth('orders') handleDisconnect() {}
      @SubscribeMessage('sum') @K8sAuth('orders') sum(_data: unknown) {}
    }
    expect(await withProviders([Gateway])).toEqual([
      misplaced('Gateway.afterInit'),
      misplaced('Gateway.handleDisconnect'),
    ]);
  });

  it('fails startup on handleConnection of a class that is not a gateway', async () => {
    class Service {
      @K8sAuth('orders') handleConnection() {}
    }
    expect(await withProviders([Service])).toEqual([misplaced('Service.handleConnection')]);
  });

  it('does not fail startup on the class of a gateway or a resolver, because it applies to the handlers', async () => {
    @WebSocketGateway()
    @K8sAuth('orders')
    class Gateway {
      @SubscribeMessage('sum') sum(_data: unknown) {}
    }
    @WebSocketGateway()
    @Public()
    class OpenGateway {
      @SubscribeMessage('open') sum(_data: unknown) {}
    }
    @K8sAuth('orders')
    class Resolver {
      @Query() orders() {}
    }
    expect(await withProviders([Gateway, OpenGateway, Resolver])).toEqual([]);
  });

  it('fails startup on field resolvers, unless GraphQL runs guards on them', async () => {
    class Resolver {
      @Query() @K8sAuth('orders') orders() {}
      @ResolveField() @K8sAuth('orders') items() {}
    }
    const options = (fieldResolverEnhancers?: string[]) => ({
      provide: 'GqlModuleOptions',
      useValue: { fieldResolverEnhancers },
    });
    expect(await withProviders([Resolver, options()])).toEqual([misplaced('Resolver.items')]);
    expect(await withProviders([Resolver, options(['interceptors'])])).toEqual([misplaced('Resolver.items')]);
    expect(await withProviders([Resolver, options(['guards'])])).toEqual([]);
  });
});

describe('startup does not fail', () => {
  it('for a controller that is also registered as a provider', async () => {
    @Controller()
    @K8sAuth('orders')
    class Orders {
      @Get() list() {}
      @Get('open') @Public() open() {}
    }
    expect(await startupMistakes({ controllers: [Orders], providers: [Orders] })).toEqual([]);
    expect(await withProviders([Orders])).toEqual([]);
  });

  it('for a method from which another decorator has made routes', async () => {
    /** Does the same as ts-rest. */
    const multiplied: MethodDecorator = (target, name, descriptor) => {
      const copy = function copy() {};
      for (const key of Reflect.getMetadataKeys(descriptor.value as object))
        Reflect.defineMetadata(key, Reflect.getMetadata(key, descriptor.value as object), copy);
      Reflect.defineMetadata(PATH_METADATA, 'copy', copy);
      Object.defineProperty(target, `${String(name)}_copy`, { value: copy });
    };
    @Controller()
    class Orders {
      @multiplied @K8sAuth('orders') handler() {}
    }
    expect(await startupMistakes({ controllers: [Orders] })).toEqual([]);
  });

  it('for values that have no class, or that have every property', async () => {
    const answering = new Proxy({}, { get: (_target, name) => (name === 'then' ? undefined : answering) });
    const values: unknown[] = [answering, Object.create(null), 'text', () => {}, null];
    const providers = values.map((useValue, index) => ({ provide: `value ${index}`, useValue }));
    expect(await withProviders(providers)).toEqual([]);
  });
});

describe('startup fails if another decorator has removed the guard', () => {
  const stripped = SetMetadata(GUARDS_METADATA, []);
  const lacksGuard = (label: string) =>
    expect.stringContaining(`${label}: expected K8sAuthGuard among the guards that Nest runs`);

  @WebSocketGateway()
  class Gateway {
    @SubscribeMessage('sum') @stripped @K8sAuth('orders') sum(_data: unknown) {}
    @SubscribeMessage('kept') @K8sAuth('orders') kept(_data: unknown) {}
    @SubscribeMessage('open') @Public() open(_data: unknown) {}
  }
  @WebSocketGateway()
  @stripped
  @K8sAuth('orders')
  class StrippedGateway {
    @SubscribeMessage('all') all(_data: unknown) {}
  }
  class Resolver {
    @Query() @stripped @K8sAuth('orders') orders() {}
  }
  @Controller()
  class Messages {
    @MessagePattern('sum') @stripped @K8sAuth('orders') sum(_data: unknown) {}
    @EventPattern('sent') @K8sAuth('orders') sent(_data: unknown) {}
  }

  it.each([true, false])('from a message handler (guard global: %s)', async (guardIsGlobal) => {
    const mistakes = await startupMistakes({
      controllers: [Messages],
      providers: [Gateway, StrippedGateway, { provide: 'resolver', useClass: Resolver }],
      configure: (app) => app.useWebSocketAdapter(new WsAdapter(app)),
      guardIsGlobal,
    });
    expect(mistakes).toEqual(
      ['Messages.sum', 'Gateway.sum', 'StrippedGateway.all', 'Resolver.orders'].map(lacksGuard),
    );
  });
});
