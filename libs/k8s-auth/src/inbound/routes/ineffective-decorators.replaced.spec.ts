import { Controller, Get, Post } from '@nestjs/common';
import { CONTROLLER_WATERMARK, PATH_METADATA } from '@nestjs/common/constants.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { closeApps, startupMistakes } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { replaceMethods, withRouteMetadata } from './replacements.fixture.js';

const onlyAdmin = allowServiceAccounts('shop/admin');

afterEach(closeApps);

describe('a class decorator that returns another class', () => {
  /** Copies what Nest needs of each method into a function of its own. */
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
    'fails startup where it copies functions freshly (guard global: %s)',
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

  it('fails startup where it copies the path of the class too, and the method is decorated', async () => {
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
