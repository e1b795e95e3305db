import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closeApps, send, startApp } from '../../test-support/inbound-app.js';
import { EnforceK8sAuth, K8sAuth } from './k8s-auth.decorators.js';

@Controller('base')
class BaseController {
  @Get('strict') @K8sAuth('orders') @EnforceK8sAuth(true) strict() {
    return 'base';
  }
  @Get('trial') @K8sAuth('orders') @EnforceK8sAuth(false) trial() {
    return 'base';
  }
}

@Controller('sub')
class SubController extends BaseController {
  @Get('strict') override strict() {
    return 'sub';
  }
  @Get('trial') @K8sAuth('orders') override trial() {
    return 'sub';
  }
}

const setup = { controllers: [BaseController, SubController], guardIsGlobal: true };

afterEach(closeApps);

describe('a method that overrides one with @EnforceK8sAuth', () => {
  it('stays enforced, although the module enforces nothing', async () => {
    const { url } = await startApp('express', { ...setup, enforce: false });
    expect((await send(`${url}/base/strict`)).status).toBe(401);
    expect((await send(`${url}/sub/strict`)).status).toBe(401);
  });

  it('is enforced, if only the overridden method is not', async () => {
    const { url } = await startApp('express', setup);
    expect(await send(`${url}/base/trial`)).toMatchObject({ status: 200, body: 'base' });
    expect((await send(`${url}/sub/trial`)).status).toBe(401);
  });
});

it('@EnforceK8sAuth is rejected on anything but a class or a method', () => {
  const decorate = EnforceK8sAuth(false) as (target: object, name: string, descriptor?: object) => void;
  const expected = 'expected @EnforceK8sAuth on a class or a method';
  expect(() => decorate(BaseController.prototype, 'field')).toThrow(expected);
  expect(() => decorate(BaseController.prototype, 'getter', { get: () => 1 })).toThrow(expected);
});
