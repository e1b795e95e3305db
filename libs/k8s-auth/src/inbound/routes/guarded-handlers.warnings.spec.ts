import { Controller, Get, type INestApplication, Inject, Scope, type Type, UseGuards } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { afterEach, describe, expect, it } from '@jest/globals';
import { inboundModule } from '../../../test-support/inbound-app.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';
import { EnforceK8sAuth, K8sAuth, Public } from '../k8s-auth.decorators.js';

@Controller('plain')
class Plain {
  @Get() list() {}
  @Get('open') @Public() open() {}
}

@Controller('messages')
class Messages {
  @MessagePattern('sum') sum(_data: unknown) {}
  @MessagePattern('guarded') @K8sAuth('orders') guarded(_data: unknown) {}
  @MessagePattern('open') @Public() open(_data: unknown) {}
}

@Controller('orders')
class Orders {
  @Get() @K8sAuth('orders') list() {}
}

let app: INestApplication | undefined;

/** The warnings of startup. */
async function warnings(
  controllers: Type[],
  { guardIsGlobal = false, onlyCalls = false, connect = false, enforce = true } = {},
): Promise<unknown[]> {
  const said: unknown[] = [];
  const testing = await inboundModule({
    ...{ controllers, guardIsGlobal, enforce },
    ...(onlyCalls && { noVerifier: true }),
  })
    .setLogger({ log: () => undefined, error: () => undefined, warn: (event) => void said.push(event) })
    .compile();
  app = testing.createNestApplication();
  if (connect) app.connectMicroservice({ transport: Transport.TCP, options: { port: 0 } });
  await app.init();
  return said;
}

afterEach(() => app?.close());

describe('startup warns once', () => {
  it('about undecorated routes, which a global guard refuses', async () => {
    expect(await warnings([Plain], { guardIsGlobal: true })).toEqual([
      {
        message: 'routes without @K8sAuth or @Public are refused for every caller',
        routes: ['Plain.list'],
      },
    ]);
  });

  it('about every route that is not enforced, and not about their refusal', async () => {
    const message =
      'K8sAuth is not enforced: these routes accept every request, and only log what they would refuse';
    expect(await warnings([Orders, Plain], { guardIsGlobal: true, enforce: false })).toEqual([
      { message, routes: ['Orders.list', 'Plain.list'] },
    ]);
  });

  it('about a single route that is not enforced', async () => {
    @Controller('trial')
    @K8sAuth('orders')
    class Trial {
      @Get() @EnforceK8sAuth(false) list() {}
      @Get('closed') closed() {}
    }
    expect(await warnings([Trial, Orders])).toEqual([expect.objectContaining({ routes: ['Trial.list'] })]);
  });

  it('about undecorated routes on which a K8sAuthGuard runs that is not global', async () => {
    @Controller('used')
    class Used {
      @Get() @UseGuards(K8sAuthGuard) find() {}
    }
    expect(await warnings([Used, Orders])).toEqual([expect.objectContaining({ routes: ['Used.find'] })]);
  });

  it.each([true, false])(
    'about undecorated message handlers, which are refused (microservice without inheritAppConfig: %s)',
    async (connect) => {
      expect(await warnings([Orders, Messages], { guardIsGlobal: true, connect })).toEqual([
        {
          message: 'routes without @K8sAuth or @Public are refused for every caller',
          routes: ['Messages.sum'],
        },
      ]);
    },
  );

  it('about handlers that are open because no route uses the guard', async () => {
    expect(await warnings([Plain])).toEqual([
      {
        message:
          'K8sAuthModule has a verifier, but no route uses it: K8sAuthGuard does not run on these handlers',
        handlers: ['Plain.list'],
      },
    ]);
  });
});

describe('startup does not warn', () => {
  it.each<[string, Type[], object]>([
    ['if some routes are protected', [Plain, Orders], {}],
    ['in a service that only calls others', [Plain], { onlyCalls: true }],
    ['if every route is decorated', [Orders], { guardIsGlobal: true }],
  ])('%s', async (_, controllers, setup) => {
    expect(await warnings(controllers, setup)).toEqual([]);
  });
});

describe('startup warns about request-scoped controllers that replace their handlers', () => {
  @Controller({ path: 'bound', scope: Scope.REQUEST })
  class Bound {
    constructor() {
      this.list = this.list.bind(this);
    }
    @Get() @K8sAuth('orders') list() {}
    @Get('open') @Public() open() {}
  }
  @Controller({ path: 'durable', scope: Scope.REQUEST, durable: true })
  class Durable {
    constructor() {
      for (const name of ['list', 'open'] as const) this[name] = this[name].bind(this);
    }
    @Get() @K8sAuth('orders') list() {}
    @Get('open') @Public() open() {}
  }
  @Controller({ path: 'sub', scope: Scope.TRANSIENT })
  class Sub extends Bound {
    constructor(@Inject(REQUEST) readonly request: unknown) {
      super();
    }
  }
  @Controller({ path: 'uniform', scope: Scope.REQUEST })
  @K8sAuth('orders')
  class Uniform {
    constructor() {
      this.list = this.list.bind(this);
    }
    @Get() list() {}
  }
  @Controller({ path: 'untouched', scope: Scope.REQUEST })
  class Untouched {
    private readonly name: string;
    private listed = 0;
    constructor(@Inject(REQUEST) readonly request: unknown) {
      this.name = 'untouched';
    }
    @Get() @K8sAuth('orders') list() {
      this.listed = 1;
      return this.listed === 1 && this.list === Reflect.get(this, this.name);
    }
  }

  it('and names them, if their methods are decorated', async () => {
    expect(await warnings([Bound, Durable, Sub, Uniform, Untouched])).toEqual([
      {
        message:
          'request-scoped controllers seem to replace their handlers in the constructor: requests to replaced handlers are refused; decorate the class instead, or do not replace handlers',
        controllers: ['Bound', 'Durable', 'Sub'],
      },
    ]);
  });
});
