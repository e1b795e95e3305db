import { Controller, Get, Post } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AuthorizationRule } from '../authorization/authorization-rule.js';
import { allowNamespaces } from '../authorization/rules.js';
import { checkRoutes, type RouteCheck } from './boot-check.js';
import { closeApps, startApp } from './inbound-app.fixture.js';
import { K8sAuth } from './k8s-auth.decorator.js';
import { Public } from './public.decorator.js';

function check(
  controllers: unknown[],
  options: { audience?: string; hasVerifier?: boolean } = {},
): RouteCheck {
  return checkRoutes({
    controllers: controllers.map((metatype) => ({ metatype })),
    scanner: new MetadataScanner(),
    audience: options.audience,
    hasVerifier: options.hasVerifier ?? true,
  });
}

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

@Controller('more')
class MoreController extends OrdersController {
  @Get('more') more() {}
}

const twoWrongRules = ['shop/checkout', undefined] as unknown as AuthorizationRule[];

describe('checkRoutes', () => {
  afterEach(closeApps);

  it('finds nothing wrong with what is right', () => {
    const { mistakes, audiences, undecorated } = check([OrdersController, PlainController], {
      audience: 'shop',
    });
    expect(mistakes).toEqual([]);
    expect([...audiences]).toEqual([
      ['orders', ['OrdersController.list']],
      ['orders-write', ['OrdersController.create']],
      ['shop', ['OrdersController.mine']],
    ]);
    expect(undecorated).toEqual(['PlainController.plain']);
  });

  it('takes inherited handlers for routes of the subclass', () => {
    const { audiences } = check([MoreController], { audience: 'shop' });
    expect(audiences.get('orders')?.toSorted()).toEqual(['MoreController.list', 'MoreController.more']);
  });

  it('names a route that has no audience', () => {
    expect(check([OrdersController]).mistakes).toEqual([
      "OrdersController.mine: expected an audience, as argument of @K8sAuth or as option 'audience'",
    ]);
  });

  it.each([[''], [' '], [' orders'], ['orders\n'], [null], [7], [allowNamespaces('shop')]])(
    'names a route with audience %p',
    (audience) => {
      class WrongController {
        @Get() @K8sAuth(audience as string) wrong() {}
      }
      expect(check([WrongController], { audience: 'shop' })).toEqual({
        mistakes: [expect.stringMatching(/^WrongController\.wrong: expected .*audience/)],
        audiences: new Map(),
        undecorated: [],
      });
    },
  );

  it('names every guarded route when there is no verifier, and no open one', () => {
    const { mistakes } = check([OrdersController, PlainController], { audience: 'shop', hasVerifier: false });
    expect(mistakes).toEqual(
      ['list', 'create', 'mine'].map(
        (method) => `OrdersController.${method}: expected option 'verifier' because of @K8sAuth`,
      ),
    );
  });

  it('names a class and a method that are both open and guarded', () => {
    @Public()
    @K8sAuth('orders')
    class BothController {
      @Get() @K8sAuth('orders') @Public() both() {}
    }
    expect(check([BothController]).mistakes).toEqual([
      'BothController: expected @K8sAuth or @Public, not both',
      'BothController.both: expected @K8sAuth or @Public, not both',
    ]);
    class HeirController extends BothController {}
    expect(check([HeirController]).mistakes).toContain(
      'BothController: expected @K8sAuth or @Public, not both',
    );
  });

  it('names rules that are no functions', () => {
    @K8sAuth('orders', ...twoWrongRules)
    class WrongController {
      @Get() @K8sAuth('orders', allowNamespaces('shop'), ...twoWrongRules) wrong() {}
    }
    expect(check([WrongController]).mistakes).toEqual([
      'WrongController: expected rule 1 of @K8sAuth to be a function',
      'WrongController: expected rule 2 of @K8sAuth to be a function',
      'WrongController.wrong: expected rule 2 of @K8sAuth to be a function',
      'WrongController.wrong: expected rule 3 of @K8sAuth to be a function',
    ]);
  });

  it('names a method with two audiences', () => {
    class TwoController {
      @Get() @K8sAuth('orders') @K8sAuth('items') two() {}
    }
    expect(check([TwoController]).mistakes).toEqual([
      'TwoController.two: expected one audience, not several @K8sAuth with different ones',
    ]);
  });

  it('names a method whose demand another decorator took away, and not one that carries it on', () => {
    const replacing =
      (carriesOn: boolean): MethodDecorator =>
      (_target, _name, descriptor) => {
        const original = descriptor.value as unknown as () => void;
        const replacement = () => original();
        if (carriesOn)
          for (const key of Reflect.getOwnMetadataKeys(original))
            Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), replacement);
        descriptor.value = replacement as never;
      };
    class WrappedController {
      @Get() @replacing(false) @K8sAuth('orders') lost() {}
      @Get() @replacing(true) @K8sAuth('orders') kept() {}
      @Get() @K8sAuth('orders') @replacing(false) inside() {}
    }
    expect(check([WrappedController]).mistakes).toEqual([
      'WrappedController.lost: expected decorators above @K8sAuth to keep the metadata of the method',
    ]);
  });

  it('passes over what is no class, and reads a controller of two modules once', () => {
    expect(
      check([null, undefined, {}, () => {}, OrdersController, OrdersController], { audience: 'shop' })
        .audiences,
    ).toEqual(check([OrdersController], { audience: 'shop' }).audiences);
  });

  it("takes what Nest's own discovery gives", async () => {
    const { app } = await startApp('express', {
      imports: [DiscoveryModule],
      controllers: [OrdersController, PlainController],
    });
    const { undecorated } = checkRoutes({
      controllers: app.get(DiscoveryService).getControllers(),
      scanner: app.get(MetadataScanner),
      audience: 'shop',
      hasVerifier: true,
    });
    expect(undecorated).toEqual(['PlainController.plain']);
  });
});
