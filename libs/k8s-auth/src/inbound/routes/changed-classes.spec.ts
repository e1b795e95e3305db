import { Controller, Get, Scope, type Type } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { closeApps, send, startApp, startupMistakes } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

const onlyAdmin = allowServiceAccounts('shop/admin');

/** The mixin function of the TypeScript handbook, which also copies `constructor`. */
function applyMixins(derived: Type, ...bases: Type[]): void {
  for (const { prototype } of bases)
    for (const name of Object.getOwnPropertyNames(prototype))
      Object.defineProperty(derived.prototype, name, Object.getOwnPropertyDescriptor(prototype, name) ?? {});
}

/** A class decorator that wraps the class in a Proxy, as tracing libraries do. */
const proxied: ClassDecorator = (target) => new Proxy(target, {});

/** Each makes a controller that is registered as `Admin`, and whose instances name another class. */
const CHANGES: readonly [string, (scope: Scope) => Type[]][] = [
  [
    'a mixin that copies `constructor` from a public class',
    (scope) => {
      @Public()
      class Open {
        other() {}
      }
      @Controller({ path: 'admin', scope })
      @K8sAuth('orders', onlyAdmin)
      class Admin {
        @Get() find() {}
      }
      applyMixins(Admin, Open);
      return [Admin];
    },
  ],
  [
    'a mixin that copies `constructor` from a class without decorators',
    (scope) => {
      class Plain {}
      @Controller({ path: 'admin', scope })
      @K8sAuth('orders', onlyAdmin)
      class Admin {
        @Get() find() {}
      }
      applyMixins(Admin, Plain);
      return [Admin];
    },
  ],
  [
    'prototype inheritance that keeps the `constructor` of the base',
    (scope) => {
      @Controller('open')
      @Public()
      class Open {
        @Get() find() {}
      }
      @Controller({ path: 'admin', scope })
      @K8sAuth('orders', onlyAdmin)
      class Admin {
        find() {}
      }
      Object.setPrototypeOf(Admin.prototype, Open.prototype);
      Reflect.deleteProperty(Admin.prototype, 'constructor');
      Reflect.deleteProperty(Admin.prototype, 'find');
      return [Open, Admin];
    },
  ],
  [
    '@K8sAuth above a Proxy around a public class',
    (scope) => {
      @Controller({ path: 'admin', scope })
      @K8sAuth('orders', onlyAdmin)
      @proxied
      @Public()
      class Admin {
        @Get() find() {}
      }
      return [Admin];
    },
  ],
  [
    'a Proxy around a class with @K8sAuth',
    (scope) => {
      @Controller({ path: 'admin', scope })
      @proxied
      @K8sAuth('orders', onlyAdmin)
      class Admin {
        @Get() find() {}
      }
      return [Admin];
    },
  ],
  [
    'a Proxy around a class whose method has @K8sAuth',
    (scope) => {
      @Controller({ path: 'admin', scope })
      @proxied
      class Admin {
        @Get() @K8sAuth('orders', onlyAdmin) find() {}
      }
      return [Admin];
    },
  ],
];

afterEach(closeApps);

describe.each([Scope.DEFAULT, Scope.REQUEST])(
  'a controller whose class cannot be identified, in scope %s',
  (scope) => {
    it.each(CHANGES)('fails startup with an error that names it: %s', async (_, change) => {
      for (const guardIsGlobal of [true, false])
        expect(await startupMistakes({ controllers: change(scope), guardIsGlobal })).toContainEqual(
          expect.stringMatching(/^Admin: expected the class that Nest creates/),
        );
    });
  },
);

describe('controllers without our decorators whose class cannot be identified', () => {
  it('do not fail startup, and are refused if the guard is global', async () => {
    @Controller('plain')
    @proxied
    class Plain {
      @Get() find() {
        return 'in';
      }
    }
    const open = await startApp('express', { controllers: [Plain] });
    expect((await send(`${open.url}/plain`)).body).toBe('in');
    @Controller('guarded')
    class Guarded {
      @Get() @K8sAuth('orders') find() {}
    }
    const mixed = await startApp('express', { controllers: [Plain, Guarded] });
    expect((await send(`${mixed.url}/plain`)).body).toBe('in');
    const closed = await startApp('express', { controllers: [Plain], guardIsGlobal: true });
    expect((await send(`${closed.url}/plain`, 'Bearer abc')).status).toBe(403);
  });
});

describe('a class decorator that returns another class', () => {
  const extending: ClassDecorator = (target) => {
    const base = target as unknown as Type;
    return class Extended extends base {} as unknown as typeof target;
  };
  /** Copies the methods, but not the metadata of the class. */
  const copying: ClassDecorator = (target) => {
    class Copy {}
    const prototype = target.prototype as object;
    for (const name of Object.getOwnPropertyNames(prototype))
      if (name !== 'constructor')
        Object.defineProperty(Copy.prototype, name, Object.getOwnPropertyDescriptor(prototype, name) ?? {});
    return Copy as unknown as typeof target;
  };

  it('keeps the demands of the class that it extends', async () => {
    @Controller('admin')
    @extending
    @K8sAuth('orders', onlyAdmin)
    class Admin {
      @Get() find() {}
    }
    const { url } = await startApp('express', { controllers: [Admin] });
    expect((await send(`${url}/admin`)).status).toBe(401);
    expect((await send(`${url}/admin`, 'Bearer abc')).status).toBe(403);
  });

  it('fails startup if it copies methods of a class with @K8sAuth, unless the guard is global', async () => {
    @Controller('admin')
    @copying
    @K8sAuth('orders', onlyAdmin)
    class Admin {
      @Get() find() {}
    }
    expect(await startupMistakes({ controllers: [Admin] })).toEqual([
      expect.stringMatching(/^Copy\.find: expected K8sAuthGuard among the guards/),
    ]);
    const { url } = await startApp('express', { controllers: [Admin], guardIsGlobal: true });
    expect((await send(`${url}/admin`)).status).toBe(401);
    expect((await send(`${url}/admin`, 'Bearer abc')).status).toBe(403);
  });

  it('fails startup if it also copies inherited methods, and does not affect sibling classes', async () => {
    class Crud {
      @Get('inherited') inherited() {}
    }
    @Controller('admin')
    @((target) => {
      class Copy {}
      for (
        let link = target.prototype as object;
        link !== Object.prototype;
        link = Object.getPrototypeOf(link) as object
      )
        for (const name of Object.getOwnPropertyNames(link))
          if (name !== 'constructor')
            Object.defineProperty(Copy.prototype, name, Object.getOwnPropertyDescriptor(link, name) ?? {});
      return Copy as unknown as typeof target;
    })
    @K8sAuth('orders', onlyAdmin)
    class Admin extends Crud {}
    @Controller('sibling')
    class Sibling extends Crud {}
    expect(await startupMistakes({ controllers: [Admin, Sibling] })).toEqual([
      expect.stringMatching(/^Copy\.inherited: expected K8sAuthGuard among the guards/),
    ]);
  });

  it('keeps the demands of a base class that is inherited by prototype only', async () => {
    @K8sAuth('orders', onlyAdmin)
    class Base {
      @Get() find() {}
    }
    @Controller('admin')
    class Admin {}
    Object.setPrototypeOf(Admin.prototype, Base.prototype);
    const { url } = await startApp('express', { controllers: [Admin] });
    expect((await send(`${url}/admin`)).status).toBe(401);
    expect((await send(`${url}/admin`, 'Bearer abc')).status).toBe(403);
  });
});
