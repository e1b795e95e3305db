import { Controller, Get, Scope } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { ADAPTERS, closeApps } from '../../../test-support/inbound-app.js';
import { K8sAuth } from '../k8s-auth.decorators.js';
import {
  bound,
  inheriting,
  type Replace,
  replaceMethods,
  startAndAsk,
  withMetadata,
  withRouteMetadata,
} from './replacements.fixture.js';

afterEach(closeApps);

describe.each(ADAPTERS)('a function that replaces a handler after startup on %s', (adapter) => {
  it.each<[string, Replace, readonly number[]]>([
    ['with only the metadata of the route', withRouteMetadata, [403, 403]],
    ['bound', bound, [403, 403]],
    ['inheriting from the method', inheriting, [401, 403]],
    ['with all metadata', withMetadata, [401, 403]],
  ])('does not open the route of a request-scoped controller: %s', async (_, replace, expected) => {
    @Controller({ path: 'late', scope: Scope.REQUEST })
    class Late {
      @Get('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
        return 'in';
      }
    }
    const { statuses } = await startAndAsk(adapter, { controllers: [Late] });
    expect(await statuses('late/admin')).toEqual([401, 403]);
    replaceMethods(Late.prototype, replace);
    expect(await statuses('late/admin')).toEqual(expected);
  });
});

describe.each(ADAPTERS)('guards that are removed after startup on %s', (adapter) => {
  it.each([Scope.DEFAULT, Scope.REQUEST])('do not open a route (scope %s)', async (scope) => {
    @Controller({ path: 'late', scope })
    @K8sAuth('orders')
    class Late {
      @Get() find() {
        return 'in';
      }
    }
    const { statuses } = await startAndAsk(adapter, { controllers: [Late] });
    Reflect.deleteMetadata(GUARDS_METADATA, Late);
    expect(await statuses('late')).toEqual([401, 200]);
  });
});
