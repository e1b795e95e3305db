import { All, Controller, type ControllerOptions, Get, Post, type Type, Version } from '@nestjs/common';
import { CONTROLLER_WATERMARK, PATH_METADATA } from '@nestjs/common/constants.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { closeApps, startupMistakes } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { replaceMethods, withRouteMetadata } from './replacements.fixture.js';

const onlyAdmin = allowServiceAccounts('shop/admin');

afterEach(closeApps);

describe('a class decorator that returns another class', () => {
  /** Makes a new function for each method, with only the metadata that Nest needs. */
  const copyingFreshly =
    (keepsClassMetadata: boolean): ClassDecorator =>
    (target) => {
      class Fresh {}
      replaceMethods(target.prototype as object, withRouteMetadata, Fresh.prototype);
      for (const key of keepsClassMetadata ? [PATH_METADATA, CONTROLLER_WATERMARK] : [])
        Reflect.defineMetadata(key, Reflect.getMetadata(key, target), Fresh);
      return Fresh as unknown as typeof target;
    };
  const lost = expect.stringMatching(
    /^Fresh\.find: expected @K8sAuth or @Public, because Admin\.find has @K8sAuth/,
  );

  it.each([true, false])(
    'fails startup if it makes new functions (guard global: %s)',
    async (guardIsGlobal) => {
      @Controller('admin')
      @copyingFreshly(false)
      @K8sAuth('orders', onlyAdmin)
      class Admin {
        @Get('find') find() {}
      }
      expect(await startupMistakes({ controllers: [Admin], guardIsGlobal })).toEqual([lost]);
    },
  );

  it('fails startup if it also copies the path of the class, and the method is decorated', async () => {
    @copyingFreshly(true)
    @Controller('admin')
    class Admin {
      @Get(['/find/', 'other']) @K8sAuth('orders', onlyAdmin) find() {}
    }
    expect(await startupMistakes({ controllers: [Admin] })).toEqual([lost]);
  });

  it('does not fail startup for a class that is not registered and has other routes', async () => {
    @Controller('elsewhere')
    @K8sAuth('orders')
    class Elsewhere {
      @Get('mine') find() {}
      @Post('other') other() {}
      @Get('open') @Public() open() {}
    }
    @Controller('plain')
    class Plain {
      @Get('mine') find() {}
      @Get('other') other() {}
      @Get('open') open() {}
    }
    expect(await startupMistakes({ controllers: [Plain] })).toEqual([]);
    expect(await startupMistakes({ controllers: [Elsewhere] })).toEqual([]);
  });
});

/** How a class decorator may change the routes that it copies. */
interface Changes {
  readonly prefix?: string;
  readonly isAll?: boolean;
  readonly isFlat?: boolean;
}

/** Replaces a class by one with the same handlers, whose functions do not have our metadata. */
const replacing =
  ({ prefix = '', isAll = false, isFlat = false }: Changes): ClassDecorator =>
  (target) => {
    class Copy {}
    const pathOf = (one: object) => Reflect.getMetadata(PATH_METADATA, one) as string;
    const names = Object.getOwnPropertyNames(target.prototype).filter((name) => name !== 'constructor');
    for (const name of names) {
      const method = Reflect.get(target.prototype as object, name) as object;
      Object.defineProperty(Copy.prototype, name, { value: () => 'secret', configurable: true });
      const path = isFlat ? `${pathOf(target)}/${pathOf(method)}` : pathOf(method);
      const descriptor = Object.getOwnPropertyDescriptor(Copy.prototype, name) as PropertyDescriptor;
      (isAll ? All(path) : Get(path))(Copy.prototype, name, descriptor);
    }
    Controller(isFlat ? '' : prefix + pathOf(target))(Copy);
    return Copy as unknown as typeof target;
  };

describe('a class decorator that changes the routes of its copies', () => {
  it.each<[string, Changes]>([
    ['under another prefix', { prefix: 'api/' }],
    ['for all HTTP methods', { isAll: true }],
    ['with the path of the class in each method', { isFlat: true }],
    ['under another prefix, for all HTTP methods', { prefix: '/v2/api/', isAll: true }],
  ])('fails startup: %s', async (_, changes) => {
    @replacing(changes)
    @Controller('orders')
    @K8sAuth('orders')
    class Orders {
      @Get() list() {}
      @Get(':id') one() {}
    }
    const expected = (name: string) =>
      expect.stringMatching(
        `^Copy.${name}: expected @K8sAuth or @Public, because Orders.${name} has @K8sAuth`,
      );
    expect(await startupMistakes({ controllers: [Orders] })).toEqual([expected('list'), expected('one')]);
  });

  it('fails startup if the path of the replaced class is unknown', async () => {
    @Controller('admin')
    @((target) => {
      class Fresh {}
      replaceMethods(target.prototype, withRouteMetadata, Fresh.prototype);
      return Fresh as unknown as typeof target;
    })
    @K8sAuth('orders', onlyAdmin)
    class Admin {
      @Get() find() {}
    }
    expect(await startupMistakes({ controllers: [Admin] })).toHaveLength(1);
  });
});

describe('a class with @K8sAuth that is not registered', () => {
  function newController(options: ControllerOptions, version?: string): Type {
    @Controller(options)
    class Plain {
      @Get() list() {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Plain.prototype, 'list') as PropertyDescriptor;
    if (version) Version(version)(Plain.prototype, 'list', descriptor);
    return Plain;
  }

  it('does not affect handlers with other names, even with the same paths', async () => {
    @K8sAuth('orders')
    abstract class BaseCrud {
      @Get() list() {}
      @Get(':id') one() {}
    }
    void BaseCrud;
    @Controller('health')
    class Health {
      @Get() check() {}
      @Get(':id') checkOne() {}
    }
    expect(await startupMistakes({ controllers: [Health] })).toEqual([]);
  });

  it('affects routes without a version, but not routes with another version', async () => {
    @Controller({ path: 'versions', version: ['2', '3'] })
    @K8sAuth('orders')
    class Second {
      @Get() list() {}
    }
    void Second;
    const start = (options: ControllerOptions, version?: string) =>
      startupMistakes({ controllers: [newController(options, version)] });
    expect(await start({ path: 'versions', version: '1' })).toEqual([]);
    expect(await start({ path: 'versions', version: '2' }, '1')).toEqual([]);
    expect(await start({ path: 'versions', version: ['1', '2'] })).toHaveLength(1);
    expect(await start({ path: 'versions' })).toHaveLength(1);
  });

  it('does not affect paths that are only similar', async () => {
    @Controller('paths')
    @K8sAuth('orders')
    class Paths {
      @Get() list() {}
    }
    void Paths;
    for (const path of ['morepaths', 'paths/more', ''])
      expect(await startupMistakes({ controllers: [newController({ path })] })).toEqual([]);
    expect(await startupMistakes({ controllers: [newController({ path: 'more/paths' })] })).toHaveLength(1);
  });

  it('does not affect other routes if a subclass is registered', async () => {
    function newBase() {
      @K8sAuth('orders')
      abstract class Base {
        @Get('known') known() {}
      }
      return Base;
    }
    @Controller('elsewhere')
    @K8sAuth('items')
    class Sub extends newBase() {}
    void Sub;
    @Controller('plain')
    class Plain {
      @Get('known') known() {}
    }
    expect(await startupMistakes({ controllers: [Plain] })).toEqual([]);
  });

  it('does not affect an application without a verifier', async () => {
    @Controller('client')
    @K8sAuth('orders')
    class OfOtherApp {
      @Get() list() {}
    }
    void OfOtherApp;
    expect(
      await startupMistakes({ controllers: [newController({ path: 'client' })], noVerifier: true }),
    ).toEqual([]);
  });
});
