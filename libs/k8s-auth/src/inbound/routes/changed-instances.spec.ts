import { Controller, Get, Inject, Injectable, Scope } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { ADAPTERS, closeApps, send, startApp, startupMistakes } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

const onlyAdmin = allowServiceAccounts('shop/admin');

afterEach(closeApps);

describe('a controller whose instance is of another class', () => {
  @Controller('open')
  class Open {
    @Get() @Public() find() {
      return 'in';
    }
  }

  it.each([true, false])(
    'fails startup with an error that names it (guard global: %s)',
    async (guardIsGlobal) => {
      @Controller('admin')
      class Admin {
        constructor() {
          return new Open();
        }
        @Get() @K8sAuth('orders', onlyAdmin) find() {}
      }
      expect(await startupMistakes({ controllers: [Open, Admin], guardIsGlobal })).toEqual([
        expect.stringMatching(/^Admin: expected the class that Nest creates/),
      ]);
    },
  );

  describe.each(ADAPTERS)('for one request on %s', (adapter) => {
    it.each([
      ['default tree', false],
      ['durable tree', true],
    ])('is refused, although its own class is public (%s)', async (_, durable) => {
      @Controller({ path: 'admin', scope: Scope.REQUEST, durable })
      class Admin {
        constructor() {
          return new Open();
        }
        @Get() @K8sAuth('orders', onlyAdmin) find() {}
      }
      for (const guardIsGlobal of [true, false]) {
        const { url, log } = await startApp(adapter, { controllers: [Open, Admin], guardIsGlobal });
        for (const authorization of [[], 'Bearer abc'])
          expect((await send(`${url}/admin`, authorization)).status).toBe(403);
        expect((await send(`${url}/open`)).body).toBe('in');
        expect(log.events).toMatchObject(
          Array(2).fill({ code: 'ERR_K8S_AUTH_ROUTE_UNDECORATED', route: 'GET /admin' }),
        );
      }
    });

    class Unregistered {
      find() {
        return 'in';
      }
    }
    @Injectable()
    class Service {
      find() {
        return 'in';
      }
    }
    @Controller('open-class')
    @Public()
    class OpenClass {
      @Get() find() {
        return 'in';
      }
    }
    it.each<[string, { find(): unknown }]>([
      ['an unregistered class', new Unregistered()],
      ['a registered provider', new Service()],
      ['a plain object', { find: () => 'in' }],
      [
        'an object without a prototype',
        Object.assign(Object.create(null) as object, { find: () => 'in', constructor: Object }),
      ],
      ['a Proxy', new Proxy(new Unregistered(), {})],
    ])('is refused when the constructor returns %s', async (_, instance) => {
      @Controller({ path: 'method', scope: Scope.REQUEST })
      class OnMethod {
        constructor() {
          return instance;
        }
        @Get() @K8sAuth('orders', onlyAdmin) find() {}
      }
      @Controller({ path: 'class', scope: Scope.REQUEST })
      @K8sAuth('orders', onlyAdmin)
      class OnClass {
        constructor() {
          return instance;
        }
        @Get() find() {}
      }
      for (const guardIsGlobal of [true, false]) {
        const { url, log } = await startApp(adapter, {
          controllers: [OnMethod, OnClass],
          providers: [Service],
          guardIsGlobal,
        });
        for (const path of ['method', 'class'])
          for (const authorization of [[], 'Bearer abc'])
            expect((await send(`${url}/${path}`, authorization)).status).toBe(403);
        expect(log.events).toMatchObject(Array(4).fill({ code: 'ERR_K8S_AUTH_ROUTE_UNDECORATED' }));
      }
    });

    it.each<[string, () => Open | Service]>([
      ['a provider', () => new Service()],
      ['a class that is public as a whole', () => new OpenClass()],
    ])(
      'is refused if the constructor returns a Proxy that binds methods at each read: of %s',
      async (_, create) => {
        @Controller({ path: 'admin', scope: Scope.REQUEST })
        class Admin {
          constructor() {
            return new Proxy(create(), {
              get: (target, name) => {
                const value: unknown = Reflect.get(target, name);
                return typeof value === 'function' && name !== 'constructor'
                  ? (value.bind(target) as unknown)
                  : value;
              },
            });
          }
          @Get() @K8sAuth('orders', onlyAdmin) find() {}
        }
        const { url } = await startApp(adapter, { controllers: [OpenClass, Admin], providers: [Service] });
        expect((await send(`${url}/admin`)).status).toBe(403);
        expect((await send(`${url}/open-class`)).body).toBe('in');
      },
    );

    it('is refused if a request-scoped provider makes the instance', async () => {
      @Controller({ path: 'admin', scope: Scope.TRANSIENT })
      class Admin {
        constructor(@Inject('of the request') instance: Unregistered) {
          return instance;
        }
        @Get() @K8sAuth('orders', onlyAdmin) find() {}
      }
      const provider = {
        provide: 'of the request',
        scope: Scope.REQUEST,
        useFactory: () => new Unregistered(),
      };
      const { url } = await startApp(adapter, { controllers: [Admin], providers: [provider] });
      expect((await send(`${url}/admin`)).status).toBe(403);
    });

    it('is not refused in an application that does not use our guard or decorators', async () => {
      @Controller({ path: 'plain', scope: Scope.REQUEST })
      class Plain {
        constructor() {
          return new Unregistered();
        }
        @Get() find() {}
      }
      const { url } = await startApp(adapter, { controllers: [Plain] });
      expect((await send(`${url}/plain`)).body).toBe('in');
    });

    it('is refused if the instance names another constructor', async () => {
      @Controller({ path: 'admin', scope: Scope.REQUEST })
      @K8sAuth('orders', onlyAdmin)
      class Admin {
        constructor() {
          Object.defineProperty(this, 'constructor', { value: Open });
        }
        @Get() find() {
          return 'in';
        }
      }
      const { url } = await startApp(adapter, { controllers: [Open, Admin] });
      expect((await send(`${url}/admin`)).status).toBe(403);
    });
  });
});

describe.each(ADAPTERS)('an undecorated request-scoped controller with a global guard on %s', (adapter) => {
  @Controller('open')
  @Public()
  class Open {
    @Get() other() {}
  }

  it.each<[string, (self: object) => object]>([
    ['names another constructor', (self) => Object.defineProperty(self, 'constructor', { value: Open })],
    [
      'is of another class',
      () => Object.assign(Object.create(Open.prototype) as object, { find: () => 'secret' }),
    ],
  ])('stays closed if its instance %s', async (_, change) => {
    @Controller({ path: 'plain', scope: Scope.REQUEST })
    class Plain {
      constructor() {
        return change(this) as Plain;
      }
      @Get() find() {
        return 'secret';
      }
    }
    const { url } = await startApp(adapter, { controllers: [Open, Plain], guardIsGlobal: true });
    expect((await send(`${url}/plain`, 'Bearer abc')).status).toBe(403);
  });
});

describe('a changed controller of a durable tree', () => {
  it('is closed, and other controllers stay open', async () => {
    @Controller({ path: 'bad', scope: Scope.REQUEST, durable: true })
    class Bad {
      @Get() @K8sAuth('orders') find() {
        Object.assign(this, { find: () => 'memo' });
        return 'first';
      }
    }
    @Controller({ path: 'good', scope: Scope.REQUEST, durable: true })
    class Good {
      @Get() @K8sAuth('orders') find() {
        return 'good';
      }
      @Get('open') @Public() open() {
        return 'open';
      }
    }
    const { url } = await startApp('express', { controllers: [Bad, Good] });
    const answerTo = async (path: string) => (await send(`${url}/${path}`, 'Bearer abc')).body;
    await answerTo('bad');
    expect(await answerTo('good')).toBe('good');
    expect(await answerTo('good/open')).toBe('open');
  });
});
