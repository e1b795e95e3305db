import { Controller, Get, Global, Injectable, Module, type OnModuleInit, type Type } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo } from 'node:net';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { K8sAuthModule } from '../../k8s-auth.module.js';
import { ADAPTERS, closeApps, send } from '../../../test-support/inbound-app.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { startAndAsk } from './replacements.fixture.js';

interface EarlyFastify {
  ready(): Promise<void>;
  inject(path: string): Promise<{ statusCode: number }>;
}

const onlyAdmin = allowServiceAccounts('shop/admin');

/** A module that runs a function after Nest has registered its routes and before they are compiled. */
function beforeCompile(task: (config: ApplicationConfig) => void): Type {
  @Injectable()
  class Init implements OnModuleInit {
    constructor(private readonly config: ApplicationConfig) {}
    onModuleInit() {
      task(this.config);
    }
  }
  @Global()
  @Module({ providers: [Init] })
  class EarlierModule {}
  return EarlierModule;
}

afterEach(closeApps);

// At this time, Nest has already looked up the guards of these routes.
describe('between the registration of routes and their compilation', () => {
  it('a decorator that is added to a controller takes effect', async () => {
    @Controller('third')
    class ThirdParty {
      @Get() find() {
        return 'in';
      }
    }
    @Controller('own')
    class Own {
      @Get() @K8sAuth('orders') find() {}
    }
    const imports = [beforeCompile(() => K8sAuth('orders', onlyAdmin)(ThirdParty))];
    const { statuses } = await startAndAsk('express', { controllers: [ThirdParty, Own], imports });
    expect(await statuses('third')).toEqual([401, 403]);
  });

  it.each(ADAPTERS)('an early request is refused on %s', async (adapter) => {
    @Controller('admin')
    class Admin {
      @Get() @K8sAuth('orders') find() {
        return 'in';
      }
    }
    @Injectable()
    class EarlyPort implements OnModuleInit {
      static status?: number;
      constructor(private readonly host: HttpAdapterHost) {}
      async onModuleInit() {
        const early = this.host.httpAdapter.getInstance<RequestListener & EarlyFastify>();
        Reflect.deleteMetadata(GUARDS_METADATA, Reflect.get(Admin.prototype, 'find'));
        if (adapter === 'fastify') {
          await early.ready();
          EarlyPort.status = (await early.inject('/admin')).statusCode;
          return;
        }
        const server = createServer(early).listen(0, '127.0.0.1');
        await once(server, 'listening');
        EarlyPort.status = (
          await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}/admin`)
        ).status;
        server.close();
      }
    }
    @Global()
    @Module({ providers: [EarlyPort] })
    class EarlierModule {}
    await startAndAsk(adapter, { controllers: [Admin], imports: [EarlierModule] }).catch(() => undefined);
    expect(EarlyPort.status).toBe(503);
  });

  it('a global guard that Nest has not looked up takes effect', async () => {
    @Controller('plain')
    class Plain {
      @Get() find() {
        return 'in';
      }
    }
    const guard = new K8sAuthGuard({} as never);
    const imports = [beforeCompile((config) => config.addGlobalGuard(guard))];
    const { statuses } = await startAndAsk('express', { controllers: [Plain], imports });
    expect(await statuses('plain')).toEqual([403, 403]);
  });

  it('guards that were absent during the lookup of Nest do not open a route', async () => {
    @Controller('admin')
    class Admin {
      @Get() @K8sAuth('orders', onlyAdmin) find() {
        return 'in';
      }
    }
    const target = Reflect.get(Admin.prototype, 'find') as object;
    const guards: unknown = Reflect.getMetadata(GUARDS_METADATA, target);
    const { statuses } = await startAndAsk('express', {
      controllers: [Admin],
      imports: [beforeCompile(() => Reflect.defineMetadata(GUARDS_METADATA, guards, target))],
      configure: () => Reflect.defineMetadata(GUARDS_METADATA, [], target),
    });
    expect(await statuses('admin')).toEqual([401, 403]);
  });

  it('a subclass of K8sAuthGuard that accepts every request does not open a route', async () => {
    class Lenient extends K8sAuthGuard {
      override canActivate() {
        return true;
      }
    }
    @Controller('admin')
    class Admin {
      @Get() @K8sAuth('orders', onlyAdmin) find() {
        return 'in';
      }
    }
    Reflect.defineMetadata(GUARDS_METADATA, [Lenient], Reflect.get(Admin.prototype, 'find'));
    const { statuses } = await startAndAsk('express', { controllers: [Admin] });
    expect(await statuses('admin')).toEqual([401, 403]);
  });

  it.each([true, false])(
    'a deleted method of a public class does not open its route (guard global: %s)',
    async (guardIsGlobal) => {
      @Controller('mixed')
      @Public()
      class Mixed {
        @Get('open') open() {
          return 'in';
        }
        @Get('admin') @K8sAuth('orders', onlyAdmin) admin() {
          return 'in';
        }
      }
      const imports = [beforeCompile(() => Reflect.deleteProperty(Mixed.prototype, 'admin'))];
      const { statuses } = await startAndAsk('express', { controllers: [Mixed], imports, guardIsGlobal });
      expect(await statuses('mixed/open')).toEqual([200, 200]);
      expect((await statuses('mixed/admin'))[0]).toBeGreaterThanOrEqual(401);
    },
  );
});

describe('after startup', () => {
  it('a polluted prototype does not open undecorated routes', async () => {
    @Controller('plain')
    class Plain {
      @Get() find() {
        return 'in';
      }
    }
    const { statuses } = await startAndAsk('express', { controllers: [Plain], guardIsGlobal: true });
    Object.defineProperty(Object.prototype, 'root', { value: 'x', configurable: true });
    try {
      expect(await statuses('plain')).toEqual([403, 403]);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'root');
    }
  });

  it.each([true, false])(
    'a changed constructor property does not give a route the rules of another class (guard global: %s)',
    async (guardIsGlobal) => {
      @Controller('open')
      @Public()
      class Open {
        @Get() other() {}
      }
      class Elsewhere {}
      @Controller('admin')
      class Admin {
        @Get() @K8sAuth('orders', onlyAdmin) find() {
          return 'secret';
        }
      }
      const { statuses } = await startAndAsk('express', { controllers: [Open, Admin], guardIsGlobal });
      for (const claimed of [Open, Elsewhere]) {
        Object.defineProperty(Admin.prototype, 'constructor', { value: claimed, configurable: true });
        expect(await statuses('admin')).toEqual([403, 403]);
      }
    },
  );
});

describe('a decorator that is added to a controller after its routes are compiled', () => {
  it('throws, and names the class', async () => {
    class Base {}
    @Controller('plain')
    class Plain extends Base {
      @Get() find() {}
    }
    await startAndAsk('express', { controllers: [Plain] });
    expect(() => K8sAuth('orders')(Plain)).toThrow('Plain: expected @K8sAuth and @Public before startup');
    expect(() => Public()(Base)).toThrow('Base: expected @K8sAuth and @Public before startup');
    expect(() => K8sAuth('orders')(Plain.prototype, 'find', { value: () => {} })).toThrow('before startup');
  });
});

describe('a root whose options depend on the request', () => {
  it('fails startup', async () => {
    const { Test } = await import('@nestjs/testing');
    const { REQUEST } = await import('@nestjs/core');
    const testing = await Test.createTestingModule({
      imports: [K8sAuthModule.forRootAsync({ inject: [REQUEST], useFactory: () => ({ destinations: [] }) })],
    }).compile();
    await expect(testing.init()).rejects.toThrow('expected options that do not depend on the request');
  });
});
