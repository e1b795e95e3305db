import { Controller, Get, Scope, type Type } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { ADAPTERS, closeApps, startupMistakes } from '../../../test-support/inbound-app.js';
import { type Principal } from '../../identity/principal.js';
import { Caller, K8sAuth, Public } from '../k8s-auth.decorators.js';
import {
  bound,
  inheriting,
  type Method,
  type Replace,
  replaceMethods,
  startAndAsk,
  withMetadata,
  withRouteMetadata,
} from './replacements.fixture.js';

/** Controllers whose constructor replaces every method on the instance. */
function controllersWith(replace: Replace, scope: Scope): Type[] {
  @Controller({ path: 'methods', scope })
  class Methods {
    constructor() {
      replaceMethods(Methods.prototype, replace, this);
    }
    @Get('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
      return 'in';
    }
    @Get('open') @Public() open() {
      return 'in';
    }
    @Get('plain') plain() {
      return 'in';
    }
  }
  @Controller({ path: 'both', scope })
  @K8sAuth('orders')
  class Both {
    constructor() {
      replaceMethods(Both.prototype, replace, this);
    }
    @Get('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
      return 'in';
    }
    @Get('plain') plain() {
      return 'in';
    }
  }
  @Controller({ path: 'class', scope })
  @K8sAuth('orders')
  class OfClass {
    constructor() {
      replaceMethods(OfClass.prototype, replace, this);
    }
    @Get('plain') plain() {
      return 'in';
    }
  }
  return [Methods, Both, OfClass];
}

const lacksGuard = (label: string) =>
  expect.stringContaining(`${label}: expected K8sAuthGuard among the guards`);

afterEach(closeApps);

describe('functions that replace methods in the constructor', () => {
  it('fail startup if Nest does not find a guard on them', async () => {
    for (const replace of [bound, withRouteMetadata])
      expect(await startupMistakes({ controllers: controllersWith(replace, Scope.DEFAULT) })).toEqual([
        lacksGuard('Methods.admin'),
      ]);
  });

  it('fail startup if each read returns another function', async () => {
    @Controller()
    class Fresh {
      constructor() {
        return new Proxy(this, {
          get: (target, name) =>
            name === 'admin' ? withMetadata(Reflect.get(target, name)) : Reflect.get(target, name),
        });
      }
      @Get() @K8sAuth('orders') admin() {}
    }
    expect(await startupMistakes({ controllers: [Fresh] })).toEqual([
      'Fresh.admin: expected the instance to have this method, or one function that replaces only this method',
    ]);
  });

  it('fail startup if they are another route', async () => {
    @Controller()
    class Swapped {
      constructor() {
        Object.assign(this, { admin: Reflect.get(this, 'open') });
      }
      @Get('a') @K8sAuth('orders') admin() {}
      @Get('b') @Public() open() {}
    }
    expect(await startupMistakes({ controllers: [Swapped] })).toEqual([
      'Swapped.admin: expected the instance to have this method, or one function that replaces only this method',
    ]);
  });
});

describe.each(ADAPTERS)('functions that replace methods on %s', (adapter) => {
  it.each<[string, Replace]>([
    ['are bound', bound],
    ['carry the metadata of the method', withMetadata],
    ['inherit from the method', inheriting],
  ])('stand for their methods under a global guard when they %s', async (_, replace) => {
    const controllers = controllersWith(replace, Scope.DEFAULT);
    const { statuses } = await startAndAsk(adapter, { controllers, guardIsGlobal: true });
    expect(await statuses('methods/admin')).toEqual([401, 403]);
    expect(await statuses('methods/open')).toEqual([200, 200]);
    expect(await statuses('methods/plain')).toEqual([403, 403]);
    expect(await statuses('both/admin')).toEqual([401, 403]);
    expect(await statuses('both/plain')).toEqual([401, 200]);
    expect(await statuses('class/plain')).toEqual([401, 200]);
  });

  it.each([Scope.DEFAULT, Scope.REQUEST])(
    'are guarded like their methods without a global guard if they have the metadata (scope %s)',
    async (scope) => {
      const { statuses } = await startAndAsk(adapter, { controllers: controllersWith(withMetadata, scope) });
      expect(await statuses('methods/admin')).toEqual([401, 403]);
      expect(await statuses('methods/open')).toEqual([200, 200]);
      expect(await statuses('methods/plain')).toEqual([200, 200]);
      expect(await statuses('both/admin')).toEqual([401, 403]);
      expect(await statuses('both/plain')).toEqual([401, 200]);
    },
  );

  it('are refused if one function serves two routes with different decorators', async () => {
    const shared = () => 'in';
    @Controller('shared')
    class Shared {
      constructor() {
        Object.assign(this, { admin: shared, open: shared });
      }
      @Get('admin') @K8sAuth('orders') admin() {}
      @Get('open') @Public() open() {}
    }
    const { statuses, log } = await startAndAsk(adapter, { controllers: [Shared], guardIsGlobal: true });
    expect(await statuses('shared/admin')).toEqual([403, 403]);
    expect(await statuses('shared/open')).toEqual([403, 403]);
    expect(log.events[0]).toMatchObject({
      reason: 'handler serves several routes with different decorators',
    });
  });

  it('get the value of @Caller(), even if they are bound or new for each request', async () => {
    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class Scoped {
      constructor() {
        replaceMethods(Scoped.prototype, withMetadata, this);
      }
      @Get() @K8sAuth('orders') find(@Caller('username') _username: string) {
        return 'in';
      }
    }
    @Controller('bound')
    class Bound {
      constructor() {
        replaceMethods(Bound.prototype, bound, this);
      }
      @Get() @Public() open(@Caller() _caller?: Principal) {
        return 'in';
      }
    }
    const { statuses } = await startAndAsk(adapter, { controllers: [Scoped, Bound], guardIsGlobal: true });
    for (let times = 0; times < 2; times++) {
      expect(await statuses('scoped')).toEqual([401, 200]);
      expect(await statuses('bound')).toEqual([200, 200]);
    }
  });

  // Nest does not find a guard on these functions, and the library does not know which method they replace.
  it.each([
    ['bound', bound, true],
    ['bound', bound, false],
    ['with only the metadata of the route', withRouteMetadata, true],
    ['with only the metadata of the route', withRouteMetadata, false],
  ])(
    'are refused if they are new for each request: %s (guard global: %s)',
    async (_, replace, guardIsGlobal) => {
      const controllers = controllersWith(replace, Scope.REQUEST);
      const { statuses, log } = await startAndAsk(adapter, { controllers, guardIsGlobal });
      for (const path of ['methods/admin', 'methods/open', 'methods/plain', 'both/admin', 'both/plain'])
        expect([path, await statuses(path)]).toEqual([path, [403, 403]]);
      expect(log.events).toMatchObject(
        Array(10).fill({
          level: 'warn',
          code: 'ERR_K8S_AUTH_ROUTE_UNDECORATED',
          reason: 'handler is not in the route table',
        }),
      );
      expect(await statuses('class/plain')).toEqual([401, 200]);
    },
  );
});

describe('decorators above @K8sAuth that replace the function', () => {
  const replacing =
    (replace: Replace): MethodDecorator =>
    (_target, _name, descriptor) => {
      descriptor.value = replace(descriptor.value as unknown as Method) as never;
    };

  class Base {
    @Get('a') @replacing(() => () => 'in') @K8sAuth('orders', allowServiceAccounts('shop/admin')) lost() {}
    @Get('b') @replacing(withMetadata) @K8sAuth('orders') kept() {}
    @Get('c') @K8sAuth('orders') @replacing(() => () => 'in') inside() {}
  }
  @Controller('sub')
  class Sub extends Base {
    @Get('a') override lost() {
      return 'in';
    }
  }
  @Controller('same')
  class Same extends Base {}

  it('fail startup if the guard is lost and is not global', async () => {
    expect(await startupMistakes({ controllers: [Same, Sub] })).toEqual([
      lacksGuard('Same.lost'),
      lacksGuard('Sub.lost'),
    ]);
  });

  it('keep all rules with a global guard', async () => {
    const { statuses } = await startAndAsk('express', { controllers: [Same, Sub], guardIsGlobal: true });
    for (const path of ['same/a', 'sub/a']) expect(await statuses(path)).toEqual([401, 403]);
    for (const path of ['same/b', 'same/c']) expect(await statuses(path)).toEqual([401, 200]);
  });
});
