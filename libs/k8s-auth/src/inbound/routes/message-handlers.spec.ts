import { Controller, SetMetadata, type Type } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { MessagePattern } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type AppSetup,
  closeApps,
  inboundModule,
  startupMistakes,
} from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

// The same metadata as the decorators of @nestjs/graphql.
const Query = () => SetMetadata('graphql:resolver_type', 'Query');
const ResolveReference = () => SetMetadata('graphql:resolve_reference', true);

afterEach(closeApps);

const withSockets = (setup: Partial<AppSetup>): AppSetup => ({
  controllers: [],
  configure: (app) => app.useWebSocketAdapter(new WsAdapter(app)),
  ...setup,
});

/** The warnings of startup. */
async function warnings(setup: AppSetup): Promise<unknown[]> {
  const said: unknown[] = [];
  const ignore = () => undefined;
  const testing = await inboundModule(setup)
    .setLogger({ log: ignore, error: ignore, warn: (event) => void said.push(event) })
    .compile();
  const app = testing.createNestApplication();
  setup.configure?.(app);
  await app.init();
  await app.close();
  return said;
}

describe('a message handler without a decorator, if the guard is global', () => {
  @WebSocketGateway()
  class Gateway {
    @SubscribeMessage('plain') plain(_data: unknown) {}
    @SubscribeMessage('open') @Public() open(_data: unknown) {}
  }
  class Resolver {
    @Query() orders() {}
  }
  @Controller()
  class Messages {
    @MessagePattern('sum') sum(_data: unknown) {}
  }

  it('is named by startup, on every transport', async () => {
    const setup = withSockets({
      controllers: [Messages],
      providers: [Gateway, Resolver],
      guardIsGlobal: true,
    });
    expect(await warnings(setup)).toEqual([
      {
        message: 'routes without @K8sAuth or @Public are refused for every caller',
        routes: ['Messages.sum', 'Gateway.plain', 'Resolver.orders'],
      },
    ]);
  });

  it('fails startup if its constructor replaces it, because no guard may run then', async () => {
    @Controller()
    class Bound {
      constructor() {
        this.sum = this.sum.bind(this);
      }
      @MessagePattern('sum') sum(_data: unknown) {}
    }
    const setup = withSockets({ controllers: [Bound], guardIsGlobal: true });
    expect(await startupMistakes(setup)).toEqual([
      expect.stringMatching(/^Bound\.sum: expected @K8sAuth or @Public on its class, because no guard runs/),
    ]);
    expect(await startupMistakes({ ...setup, guardIsGlobal: false })).toEqual([]);
  });

  it('does not get a second guard from a second application with the same class', async () => {
    const setup = withSockets({ controllers: [Messages] });
    await warnings(setup);
    await warnings(setup);
    const handler = Reflect.get(Messages.prototype, 'sum') as object;
    expect(Reflect.getMetadata(GUARDS_METADATA, handler)).toHaveLength(1);
  });
});

describe('a gateway with @K8sAuth whose WebSocket adapter cannot refuse a client before it is connected', () => {
  @WebSocketGateway()
  @K8sAuth('orders')
  class Gateway {
    @SubscribeMessage('sum') sum(_data: unknown) {}
  }
  @WebSocketGateway({ path: '/open' })
  @Public()
  class OpenGateway {
    @SubscribeMessage('open') open(_data: unknown) {}
  }

  it('is named by startup', async () => {
    class OwnAdapter extends WsAdapter {
      override create(port: number, { path }: { path?: string }): ReturnType<WsAdapter['create']> {
        return super.create(port, path === undefined ? {} : { path });
      }
    }
    const providers = [Gateway, OpenGateway];
    const configure: AppSetup['configure'] = (app) => app.useWebSocketAdapter(new OwnAdapter(app));
    expect(await warnings(withSockets({ providers, configure }))).toEqual([
      {
        message: expect.stringMatching(/^this WebSocket adapter connects clients before K8sAuth can refuse/),
        gateways: ['Gateway.handleConnection'],
      },
    ]);
    expect(await warnings(withSockets({ providers }))).toEqual([]);
  });
});

describe('gateways and resolvers with @K8sAuth', () => {
  it('fail startup without an audience or a verifier, as controllers do', async () => {
    @WebSocketGateway()
    class Gateway {
      @SubscribeMessage('sum') @K8sAuth() sum(_data: unknown) {}
    }
    class Resolver {
      @Query() @K8sAuth('') orders() {}
    }
    const providers: Type[] = [Gateway, Resolver];
    expect(await startupMistakes(withSockets({ providers }))).toEqual([
      expect.stringMatching(/^Gateway\.sum: expected an audience/),
      expect.stringMatching(/^Resolver\.orders: expected the audience of @K8sAuth/),
    ]);
    expect(await startupMistakes(withSockets({ providers: [Gateway], noVerifier: true }))).toContainEqual(
      expect.stringMatching(/^Gateway\.sum: expected option 'verifier'/),
    );
  });

  it('fail startup with contradicting decorators', async () => {
    class Resolver {
      @Query() @K8sAuth('orders') @Public() orders() {}
    }
    expect(await startupMistakes(withSockets({ providers: [Resolver] }))).toEqual([
      'Resolver.orders: expected @K8sAuth or @Public, not both',
    ]);
  });
});

it('warns about reference resolvers on which GraphQL runs no guard', async () => {
  class Resolver {
    @Query() @K8sAuth('orders') orders() {}
    @ResolveReference() resolveReference() {}
  }
  const options = (fieldResolverEnhancers: string[]) => ({
    provide: 'GqlModuleOptions',
    useValue: { fieldResolverEnhancers },
  });
  expect(await warnings(withSockets({ providers: [Resolver, options([])] }))).toEqual([
    {
      message:
        "reference resolvers are open: GraphQL runs no guard on them unless fieldResolverEnhancers includes 'guards'",
      handlers: ['Resolver.resolveReference'],
    },
  ]);
  expect(await warnings(withSockets({ providers: [Resolver, options(['guards'])] }))).toEqual([]);
});
