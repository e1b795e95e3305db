import {
  Controller,
  Get,
  Injectable,
  type ModuleMetadata,
  Post,
  SetMetadata,
  type Type,
} from '@nestjs/common';
import { GUARDS_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AuthorizationRule, allowNamespaces } from '../../authorization/rules.js';
import { ConfigurationError } from '../../errors.js';
import { K8sAuthModule } from '../../k8s-auth.module.js';
import { type AppSetup, closeApps, startupMistakes } from '../../../test-support/inbound-app.js';
import { Caller, K8sAuth, Public } from '../k8s-auth.decorators.js';

const mistakesOf = (controllers: unknown[], setup: Partial<AppSetup> = {}) =>
  startupMistakes({ controllers: controllers as Type[], ...setup });

@Controller('orders')
@K8sAuth('orders', allowNamespaces('shop'))
class OrdersController {
  @Get() list() {}
  @Post() @K8sAuth('orders-write') create() {}
  @Get('mine') @K8sAuth() mine() {}
  @Get('health') @Public() health() {}
  notARoute() {}
}

@Controller('plain')
class PlainController {
  @Get() plain() {}
  @Get('open') @Public() open() {}
}

const twoWrongRules = ['shop/checkout', undefined] as unknown as AuthorizationRule[];

afterEach(closeApps);

describe('startup', () => {
  it('finds no mistake in correct decorators', async () => {
    expect(await mistakesOf([OrdersController, PlainController], { audience: 'shop' })).toEqual([]);
  });

  it('names a route without an audience', async () => {
    expect(await mistakesOf([OrdersController])).toEqual([
      "OrdersController.mine: expected an audience, as argument of @K8sAuth or as option 'audience' (variable K8S_AUTH_AUDIENCE)",
    ]);
  });

  it.each<[unknown]>([
    [''],
    [' '],
    [' orders'],
    ['orders\n'],
    [null],
    [7],
    [allowNamespaces('shop')],
    [[]],
    [['orders', '']],
    [['orders', 'orders']],
    [new Array(1)],
    [1n],
    [[['orders']]],
    ['two\nlines'],
  ])('names a route with the audience %j', async (audience) => {
    @Controller()
    class WrongController {
      @Get() @K8sAuth(audience as string) wrong() {}
    }
    expect(await mistakesOf([WrongController], { audience: 'shop' })).toEqual([
      expect.stringMatching(/^WrongController\.wrong: expected the audience of @K8sAuth/),
    ]);
  });

  it('names every protected route if there is no verifier, but no public route', async () => {
    const setup = { audience: 'shop', noVerifier: true } as const;
    expect(await mistakesOf([OrdersController, PlainController], setup)).toEqual(
      ['list', 'create', 'mine'].map(
        (method) =>
          `OrdersController.${method}: expected option 'verifier' (variable K8S_AUTH_VERIFIER) because of @K8sAuth`,
      ),
    );
  });

  it('names a class and a method that are both public and protected', async () => {
    @Controller()
    @Public()
    @K8sAuth('orders')
    class BothController {
      @Get() @K8sAuth('orders') @Public() both() {}
    }
    @Controller()
    class HeirController extends BothController {}
    const ofClass = 'BothController: expected @K8sAuth or @Public, not both';
    expect(await mistakesOf([BothController])).toEqual([
      ofClass,
      'BothController.both: expected @K8sAuth or @Public, not both',
    ]);
    expect(await mistakesOf([HeirController])).toContain(ofClass);
  });

  it('names rules that are not functions, and functions that create rules and were not called', async () => {
    @Controller()
    @K8sAuth('orders', ...twoWrongRules)
    class WrongController {
      @Get() @K8sAuth('orders', allowNamespaces('shop'), ...twoWrongRules) wrong() {}
      @Get() @K8sAuth('orders', allowNamespaces as unknown as AuthorizationRule) uncalled() {}
    }
    expect(await mistakesOf([WrongController])).toEqual([
      'WrongController: expected rule 1 of @K8sAuth to be a function',
      'WrongController: expected rule 2 of @K8sAuth to be a function',
      'WrongController.wrong: expected rule 2 of @K8sAuth to be a function',
      'WrongController.wrong: expected rule 3 of @K8sAuth to be a function',
      'WrongController.uncalled: expected rule 1 of @K8sAuth to be allowNamespaces(...), not allowNamespaces alone',
    ]);
  });

  it('names a method with two audiences', async () => {
    @Controller()
    class TwoController {
      @Get() @K8sAuth('orders') @K8sAuth('items') two() {}
    }
    expect(await mistakesOf([TwoController])).toEqual([
      'TwoController.two: expected one audience, not several @K8sAuth with different ones',
    ]);
  });

  it('names a route if another decorator has replaced its guards, unless the guard is global', async () => {
    @Controller()
    class ReplacedController {
      @Get('a') @SetMetadata(GUARDS_METADATA, []) @K8sAuth('orders') method() {}
    }
    @Controller()
    @SetMetadata(GUARDS_METADATA, [])
    @K8sAuth('orders')
    class ReplacedClassController {
      @Get('b') find() {}
    }
    const controllers = [ReplacedController, ReplacedClassController];
    expect(await mistakesOf(controllers)).toEqual([
      expect.stringMatching(/^ReplacedController\.method: expected K8sAuthGuard among the guards/),
      expect.stringMatching(/^ReplacedClassController\.find: expected K8sAuthGuard among the guards/),
    ]);
    expect(await mistakesOf(controllers, { guardIsGlobal: true })).toEqual([]);
  });

  it.each<[string, ModuleMetadata['imports'], RegExp]>([
    ['no module', [], /K8sAuthGuard.*import K8sAuthModule\.forRoot\(\.\.\.\)/],
    [
      'the module without forRoot',
      [K8sAuthModule],
      /import K8sAuthModule\.forRoot\(\.\.\.\).*not K8sAuthModule alone/,
    ],
  ])('says that forRoot must be imported: %s', async (_, imports, text) => {
    const testing = Test.createTestingModule({ imports: imports ?? [], controllers: [OrdersController] });
    await expect(testing.compile()).rejects.toThrow(text);
  });

  it('treats every method with a path as a route, as Nest does', async () => {
    @Controller()
    class PathController {
      @SetMetadata(PATH_METADATA, 'any') @K8sAuth() any() {}
    }
    expect(await mistakesOf([PathController])).toEqual([
      expect.stringMatching(/^PathController\.any: expected an audience/),
    ]);
  });

  it('reports the mistakes of all controllers in one error', async () => {
    @Controller()
    class FirstController {
      @Get('a') @K8sAuth() first() {}
    }
    @Injectable()
    class PlainProvider {
      @K8sAuth('orders') help() {}
    }
    expect(await mistakesOf([FirstController], { providers: [PlainProvider] })).toEqual([
      expect.stringMatching(/^FirstController\.first: expected an audience/),
      expect.stringMatching(/^PlainProvider\.help: /),
    ]);
  });
});

describe('a decorator on anything but a class or a method', () => {
  it('throws at once and names the member', () => {
    const onAccessor = () => {
      class Accessor {
        @K8sAuth('orders') get value() {
          return 1;
        }
      }
      return Accessor;
    };
    const onProperty = () => {
      class Property {
        // @ts-expect-error -- not for properties
        @Public() value = 1;
      }
      return Property;
    };
    expect(onAccessor).toThrow(ConfigurationError);
    expect(onAccessor).toThrow('Accessor.value: expected @K8sAuth and @Public on a class or a method');
    expect(onProperty).toThrow('Property.value: expected @K8sAuth and @Public on a class or a method');
  });

  it('throws on a parameter, on a function, and as a standard (TC39) decorator', () => {
    const decorate: (...args: never[]) => void = K8sAuth('orders');
    const call = (...args: unknown[]) => decorate(...(args as never[]));
    class Orders {
      find() {}
    }
    expect(() => call(Orders, undefined, 0)).toThrow('Orders.constructor: expected');
    expect(() => call(Reflect.get(Orders.prototype, 'find'), undefined, undefined)).toThrow(
      'find.constructor: expected',
    );
    expect(() => call(Reflect.get(Orders.prototype, 'find'), { kind: 'method' })).toThrow(
      'with experimentalDecorators',
    );
  });

  it('throws if the parentheses are missing', () => {
    const bare = (decorator: unknown) => decorator as ClassDecorator & MethodDecorator;
    const onClass = (decorator: unknown) => () => {
      @bare(decorator)
      class Orders {}
      return Orders;
    };
    const onMethod = (decorator: unknown) => () => {
      class Orders {
        @bare(decorator) list() {}
      }
      return Orders;
    };
    const onStatic = () => {
      class Orders {
        @bare(K8sAuth) static list() {}
      }
      return Orders;
    };
    const onParameter = () => {
      class Orders {
        list(@(Caller as unknown as ParameterDecorator) _caller: unknown) {}
      }
      return Orders;
    };
    expect(onClass(K8sAuth)).toThrow('Orders: expected @K8sAuth() with parentheses, not @K8sAuth alone');
    expect(onClass(Public)).toThrow('Orders: expected @Public() with parentheses');
    expect(onMethod(K8sAuth)).toThrow('Orders.list: expected @K8sAuth() with parentheses');
    expect(onMethod(Public)).toThrow('Orders.list: expected @Public() with parentheses');
    expect(onStatic).toThrow('Orders.list: expected @K8sAuth() with parentheses');
    expect(onParameter).toThrow('Orders.list: expected @Caller() with parentheses');
  });

  it('copies the list of audiences', async () => {
    const list = ['orders'];
    @Controller()
    class Listed {
      @Get() @K8sAuth(list) find() {}
    }
    list.push('');
    expect(await mistakesOf([Listed])).toEqual([]);
  });
});
