import { Controller, Get, Scope } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../authorization/rules.js';
import { checkRoutes, type RouteCheck } from './boot-check.js';
import {
  ADAPTERS,
  type AppSetup,
  closeApps,
  ScriptedVerifier,
  send,
  startApp,
} from './inbound-app.fixture.js';
import { K8sAuth } from './k8s-auth.decorator.js';
import { Public } from './public.decorator.js';

type Method = () => unknown;
type Replace = (method: Method) => Method;

const bound: Replace = (method) => method.bind(undefined);

/** As instrumentation does it. */
const withMetadata: Replace = (method) => {
  const replacement: Method = () => method();
  for (const key of Reflect.getMetadataKeys(method))
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), replacement);
  return replacement;
};

/** Puts another function in the place of each method, on the instance only. */
function replaceMethods(instance: object, replace: Replace): void {
  const prototype = Object.getPrototypeOf(instance) as Record<string, Method>;
  for (const name of Object.getOwnPropertyNames(prototype))
    if (name !== 'constructor')
      Object.defineProperty(instance, name, { value: replace(prototype[name] as Method) });
}

function controllersWith(replace: Replace, scope: Scope) {
  @Controller({ path: 'methods', scope })
  class Methods {
    constructor() {
      replaceMethods(this, replace);
    }
    @Get('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
      return 'in';
    }
    @Get('open') @Public() open() {
      return 'in';
    }
    @Get('plain') plain() {
      return 'in';
    }
  }
  @Controller({ path: 'both', scope })
  @K8sAuth('orders')
  class Both {
    constructor() {
      replaceMethods(this, replace);
    }
    @Get('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
      return 'in';
    }
    @Get('plain') plain() {
      return 'in';
    }
  }
  @Controller({ path: 'class', scope })
  @K8sAuth('orders')
  class OfClass {
    constructor() {
      replaceMethods(this, replace);
    }
    @Get('plain') plain() {
      return 'in';
    }
  }
  return [Methods, Both, OfClass];
}

async function start(adapter: 'express' | 'fastify', setup: AppSetup) {
  const { app, url, log } = await startApp(adapter, { ...setup, imports: [DiscoveryModule] });
  const check = (): RouteCheck =>
    checkRoutes({
      controllers: app.get(DiscoveryService).getControllers(),
      scanner: app.get(MetadataScanner),
      audience: undefined,
      hasVerifier: true,
    });
  const statusOf = async (path: string, authorization?: string): Promise<number | undefined> =>
    (await send(`${url}/${path}`, authorization)).status;
  return { check, statusOf, log };
}

const expected = 'expected the instance to keep the method, or the metadata of the method';

afterEach(closeApps);

describe('checkRoutes on instances with functions of their own', () => {
  it('names methods that were bound, where a method of the class says anything', async () => {
    const { check } = await start('express', { controllers: controllersWith(bound, Scope.DEFAULT) });
    expect(check().mistakes).toEqual([
      ...['admin', 'open', 'plain'].map((name) => `Methods.${name}: ${expected}`),
      ...['admin', 'plain'].map((name) => `Both.${name}: ${expected}`),
    ]);
  });

  it('finds nothing wrong with functions that carry the metadata on', async () => {
    const controllers = controllersWith(withMetadata, Scope.DEFAULT);
    expect((await start('express', { controllers })).check().mistakes).toEqual([]);
  });

  it('names a method whose metadata was carried on in part', async () => {
    for (const lost of ['K8S_AUTH:DEMANDS', 'K8S_AUTH:PUBLIC', '__guards__']) {
      const inPart: Replace = (method) => {
        const replacement = withMetadata(method);
        Reflect.deleteMetadata(lost, replacement);
        return replacement;
      };
      const { check } = await start('express', { controllers: controllersWith(inPart, Scope.DEFAULT) });
      expect(check().mistakes).toContain(
        `Methods.${lost === 'K8S_AUTH:PUBLIC' ? 'open' : 'admin'}: ${expected}`,
      );
    }
  });

  it('looks at each instance of a controller, and passes over what is none', () => {
    const [Both] = controllersWith(bound, Scope.DEFAULT).slice(1);
    const prototype = Both?.prototype as object;
    const check = (instances: unknown[]) =>
      checkRoutes({
        controllers: instances.map((instance) => ({ metatype: Both, instance })),
        scanner: new MetadataScanner(),
        audience: undefined,
        hasVerifier: true,
      }).mistakes;
    expect(check([undefined, null, 'text', Object.create(prototype)])).toEqual([]);
    const other = Object.create(prototype, { admin: { value: undefined } }) as unknown;
    expect(check([Object.create(prototype), other])).toEqual([`Both.admin: ${expected}`]);
  });
});

it('leaves other classes alone when a static method is decorated', () => {
  class Unrouted {
    @K8sAuth('orders') static help() {}
  }
  expect(Unrouted).toHaveProperty('help');
  expect(Reflect.getMetadataKeys(Function)).toEqual([]);
});

describe.each(ADAPTERS)('a function in the place of a method on %s', (adapter) => {
  const verifier = new ScriptedVerifier();

  // Without APP_GUARD too: Nest finds no guard on a bound function.
  it.each([
    [Scope.DEFAULT, true],
    [Scope.DEFAULT, false],
    [Scope.REQUEST, true],
    [Scope.REQUEST, false],
  ])(
    'is refused where a method of the class says anything (scope %s, global %s)',
    async (scope, isGlobal) => {
      const controllers = controllersWith(bound, scope);
      const { statusOf, log } = await start(adapter, { controllers, verifier, guardIsGlobal: isGlobal });
      for (const path of ['methods/admin', 'methods/open', 'methods/plain', 'both/admin', 'both/plain'])
        for (const authorization of [undefined, 'Bearer abc'])
          expect([path, await statusOf(path, authorization)]).toEqual([path, 403]);
      expect(log.lines).toMatchObject(
        Array(10).fill({
          level: 'warn',
          code: 'ERR_K8S_AUTH_ROUTE_UNDECORATED',
          reason: 'handler is no method of its class and has no metadata of one',
        }),
      );
      expect(await statusOf('class/plain')).toBe(401);
      expect(await statusOf('class/plain', 'Bearer abc')).toBe(200);
    },
  );

  it.each([Scope.DEFAULT, Scope.REQUEST])(
    'counts as the method when it carries the metadata on (scope %s)',
    async (scope) => {
      const { statusOf } = await start(adapter, {
        controllers: controllersWith(withMetadata, scope),
        verifier,
      });
      expect(await statusOf('methods/admin')).toBe(401);
      expect(await statusOf('methods/admin', 'Bearer abc')).toBe(403);
      expect(await statusOf('methods/open')).toBe(200);
      expect(await statusOf('methods/plain')).toBe(200);
      expect(await statusOf('both/admin', 'Bearer abc')).toBe(403);
      expect(await statusOf('both/plain', 'Bearer abc')).toBe(200);
    },
  );
});
