import { Controller, Get, type Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { allowNamespaces, allowServiceAccounts } from '../authorization/rules.js';
import { checkRoutes } from './boot-check.js';
import { K8sAuth } from './k8s-auth.decorator.js';
import { Public } from './public.decorator.js';

const onlyAdmin = allowServiceAccounts('shop/admin');
const onlyShop = allowNamespaces('shop');

class Base {
  @Get('plain') @K8sAuth('orders') plain() {}
  @Get('ruled') @K8sAuth('orders', onlyAdmin) ruled() {}
  @Get('open') @Public() open() {}
  @Get('free') free() {}
}

function mistakesOf(controller: Type): readonly string[] {
  return checkRoutes({
    controllers: [{ metatype: controller }],
    scanner: new MetadataScanner(),
    audience: undefined,
    hasVerifier: true,
  }).mistakes;
}

function lost(override: string, overridden: string): string {
  return `${override}: expected @K8sAuth or @Public because it overrides ${overridden}, which has @K8sAuth`;
}

describe('a route that overrides one with @K8sAuth', () => {
  it('is a mistake when nothing else protects it', () => {
    @Controller('sub')
    class Sub extends Base {
      @Get('plain') override plain() {}
      @Get('ruled') override ruled() {}
    }
    expect(mistakesOf(Sub)).toEqual([lost('Sub.plain', 'Base.plain'), lost('Sub.ruled', 'Base.ruled')]);
  });

  it('is none when it says itself what it asks for', () => {
    @Controller('sub')
    class Sub extends Base {
      @Get('plain') @K8sAuth('items') override plain() {}
      @Get('ruled') @Public() override ruled() {}
    }
    expect(mistakesOf(Sub)).toEqual([]);
  });

  it('is none when it is no route any more, or was not protected before', () => {
    @Controller('sub')
    class Sub extends Base {
      override plain() {}
      @Get('open') override open() {}
      @Get('free') override free() {}
    }
    expect(mistakesOf(Sub)).toEqual([]);
  });

  it('is one under a class that asks for less, and none under one that asks for as much', () => {
    @Controller('sub')
    @K8sAuth('orders')
    class SameAudience extends Base {
      @Get('plain') override plain() {}
      @Get('ruled') override ruled() {}
    }
    @Controller('sub')
    @K8sAuth('items')
    class OtherAudience extends Base {
      @Get('plain') override plain() {}
    }
    @Controller('sub')
    @K8sAuth('orders', onlyShop, onlyAdmin)
    class SameRule extends Base {
      @Get('ruled') override ruled() {}
    }
    @Controller('sub')
    @Public()
    class Opened extends Base {
      @Get('plain') override plain() {}
    }
    expect(mistakesOf(SameAudience)).toEqual([lost('SameAudience.ruled', 'Base.ruled')]);
    expect(mistakesOf(OtherAudience)).toEqual([lost('OtherAudience.plain', 'Base.plain')]);
    expect(mistakesOf(SameRule)).toEqual([]);
    expect(mistakesOf(Opened)).toEqual([lost('Opened.plain', 'Base.plain')]);
  });

  it('is found behind classes between, up to the first that decided', () => {
    class Between extends Base {
      override plain() {}
      @Public() override ruled() {}
    }
    class Overriding extends Between {
      @Get('plain') override plain() {}
      @Get('ruled') override ruled() {}
    }
    @Controller('sub')
    class Heir extends Overriding {}
    expect(mistakesOf(Heir)).toEqual([lost('Overriding.plain', 'Base.plain')]);
  });
});
