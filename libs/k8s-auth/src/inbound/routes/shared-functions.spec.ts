import { Controller, Get, type Type } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowNamespaces, allowServiceAccounts } from '../../authorization/rules.js';
import { ADAPTERS, closeApps, startupMistakes } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { startAndAsk } from './replacements.fixture.js';

const onlyAdmin = allowServiceAccounts('shop/admin');

/** The mixin function of the TypeScript handbook, but without copying `constructor`. */
const mixing =
  ({ prototype }: Type): ClassDecorator =>
  (target) => {
    for (const name of Object.getOwnPropertyNames(prototype))
      if (name !== 'constructor')
        Object.defineProperty(target.prototype, name, Object.getOwnPropertyDescriptor(prototype, name) ?? {});
  };

/** Makes a new class without our decorators, because the library stores the classes of each function. */
function newCrud(): Type {
  class Crud {
    @Get() list() {
      return 'in';
    }
  }
  return Crud;
}

afterEach(closeApps);

describe.each(ADAPTERS)('a function that several classes share on %s', (adapter) => {
  it('is guarded in each class by the decorators of that class', async () => {
    const Crud = newCrud();
    @Controller('admin')
    @K8sAuth('orders', onlyAdmin)
    @mixing(Crud)
    class Admin {}
    @Controller('shop')
    @K8sAuth('orders', allowNamespaces('shop'))
    @mixing(Crud)
    class Shop {}
    @Controller('open')
    @Public()
    @mixing(Crud)
    class Open {}
    for (const controllers of [
      [Admin, Shop, Open],
      [Open, Shop, Admin],
    ]) {
      const { statuses } = await startAndAsk(adapter, { controllers });
      expect(await statuses('admin')).toEqual([401, 403]);
      expect(await statuses('shop')).toEqual([401, 200]);
      expect(await statuses('open')).toEqual([200, 200]);
    }
  });
});

describe('a function that a class with @K8sAuth shares', () => {
  it('fails startup in a class without decorators, because it may be a copy', async () => {
    const Crud = newCrud();
    @Controller('admin')
    @K8sAuth('orders', onlyAdmin)
    @mixing(Crud)
    class Admin {}
    @Controller('silent')
    @mixing(Crud)
    class Silent {}
    expect(await startupMistakes({ controllers: [Admin, Silent] })).toEqual([
      expect.stringMatching(/^Silent\.list: expected K8sAuthGuard among the guards/),
    ]);
  });

  it('stays closed in a class that replaces its class, even with @Public', async () => {
    const replacing: ClassDecorator = (target) => {
      @mixing(target as unknown as Type)
      class Copy {}
      return Copy as unknown as typeof target;
    };
    @Controller('admin')
    @Public()
    @replacing
    @K8sAuth('orders', onlyAdmin)
    class Admin {
      @Get() find() {}
    }
    const { statuses } = await startAndAsk('express', { controllers: [Admin], guardIsGlobal: true });
    expect(await statuses('admin')).toEqual([401, 403]);
  });
});
