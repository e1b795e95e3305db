import { type ServerResponse } from 'node:http';
import { Controller, Get, Next, Res, Scope } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { UnsupportedContextError } from '../../errors.js';
import { type Principal } from '../../identity/principal.js';
import { Caller, K8sAuth, Public } from '../k8s-auth.decorators.js';
import { ADAPTERS, closeApps, type RunningApp, send, startApp } from '../../../test-support/inbound-app.js';
import { ScriptedVerifier, verdictFor } from '../../../test-support/scripted-verifier.js';
import { K8sAuthGuard } from './k8s-auth.guard.js';

@Controller('orders')
@K8sAuth('orders')
class OrdersController {
  @Get() list() {
    return 'listed';
  }
  @Get('items') @K8sAuth('items', allowServiceAccounts('shop/checkout')) items() {
    return 'items';
  }
  @Get('module') @K8sAuth() module() {
    return 'module';
  }
  @Get('health') @Public() health() {
    return 'healthy';
  }
}

@Controller('plain')
class PlainController {
  @Get() plain() {
    return 'plain';
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
@K8sAuth('orders')
class ScopedController {
  @Get() whoami(@Caller('username') username: string) {
    return username;
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('K8sAuthGuard on %s', (adapter) => {
  let running: RunningApp;

  it.each([true, false])('verifies once per request (guard global: %s)', async (guardIsGlobal) => {
    const verifier = new ScriptedVerifier();
    const controllers = [OrdersController];
    running = await startApp(adapter, { controllers, verifier, guardIsGlobal, audience: 'shop' });
    expect((await send(`${running.url}/orders`, 'Bearer abc')).body).toBe('listed');
    expect(verifier.asked).toEqual([{ token: 'abc', audiences: ['orders'] }]);
    expect((await send(`${running.url}/orders/items`, 'Bearer abc')).body).toBe('items');
    expect(verifier.asked.slice(1)).toEqual([{ token: 'abc', audiences: ['items'] }]);
  });

  it("uses the module's audience for a decorator without an audience", async () => {
    const verifier = new ScriptedVerifier();
    running = await startApp(adapter, { controllers: [OrdersController], verifier, audience: 'shop' });
    expect((await send(`${running.url}/orders/module`, 'Bearer abc')).body).toBe('module');
    expect(verifier.asked).toEqual([{ token: 'abc', audiences: ['shop'] }]);
  });

  it('does not call the verifier on a public route', async () => {
    const verifier = new ScriptedVerifier();
    const controllers = [OrdersController];
    running = await startApp(adapter, { controllers, verifier, guardIsGlobal: true, audience: 'shop' });
    expect((await send(`${running.url}/orders/health`)).body).toBe('healthy');
    expect((await send(`${running.url}/orders/health`, ['Bearer a', 'Bearer b'])).body).toBe('healthy');
    expect(verifier.asked).toEqual([]);
  });

  it.each([[[]], ['Bearer abc'], ['Bearer'], [['Bearer a', 'Bearer b']]])(
    'refuses an undecorated route for every Authorization header: %j',
    async (authorization: string | string[]) => {
      const verifier = new ScriptedVerifier();
      running = await startApp(adapter, { controllers: [PlainController], verifier, guardIsGlobal: true });
      expect(await send(`${running.url}/plain`, authorization)).toMatchObject({
        status: 403,
        challenge: 'Bearer error="insufficient_scope"',
      });
      expect(verifier.asked).toEqual([]);
      expect(running.log.events).toMatchObject([{ level: 'warn', code: 'ERR_K8S_AUTH_ROUTE_UNDECORATED' }]);
    },
  );

  it('does not close undecorated routes if it is not global', async () => {
    running = await startApp(adapter, { controllers: [PlainController] });
    expect((await send(`${running.url}/plain`)).body).toBe('plain');
  });

  it('passes every audience of a list to the verifier', async () => {
    @Controller('renamed')
    class RenamedController {
      @Get() @K8sAuth(['orders', 'orders-v2']) named() {
        return 'named';
      }
      @Get('module') @K8sAuth() module() {
        return 'module';
      }
    }
    const verifier = new ScriptedVerifier();
    const audience = ['shop', 'shop-v2'];
    running = await startApp(adapter, { controllers: [RenamedController], verifier, audience });
    for (const path of ['renamed', 'renamed/module']) await send(`${running.url}/${path}`, 'Bearer abc');
    expect(verifier.asked.map(({ audiences }) => audiences)).toEqual([['orders', 'orders-v2'], audience]);
  });

  it('accepts requests for request-scoped controllers', async () => {
    running = await startApp(adapter, { controllers: [ScopedController], guardIsGlobal: true });
    expect((await send(`${running.url}/scoped`, 'Bearer abc')).body).toBe(
      'system:serviceaccount:shop:checkout',
    );
  });
});

describe('a second handler for the same request', () => {
  @Controller()
  class FirstController {
    @Get('same') @K8sAuth('first') same(@Next() next: () => void) {
      next();
    }
    @Get('same') @K8sAuth('second', allowServiceAccounts('shop/admin')) sameAgain() {
      return 'second';
    }
    @Get('both') @K8sAuth('first') first(@Next() next: () => void) {
      next();
    }
    @Get('open') @K8sAuth('first') opened(@Next() next: () => void) {
      next();
    }
  }
  @Controller()
  class SecondController {
    @Get('both') @K8sAuth('second', allowServiceAccounts('shop/admin')) second() {
      return 'second';
    }
    @Get('open') @Public() open(@Caller() caller?: Principal) {
      return { caller: caller ?? null };
    }
  }

  it.each([
    ['both', 'shop/checkout', 403],
    ['both', 'shop/admin', 200],
    ['same', 'shop/checkout', 403],
    ['same', 'shop/admin', 200],
  ])('is authenticated again: GET /%s, %s gets %i', async (route, caller, status) => {
    const verifier = new ScriptedVerifier(() => verdictFor(caller));
    const { url } = await startApp('express', {
      controllers: [FirstController, SecondController],
      verifier,
    });
    expect((await send(`${url}/${route}`, 'Bearer abc')).status).toBe(status);
    expect(verifier.asked).toEqual([
      { token: 'abc', audiences: ['first'] },
      { token: 'abc', audiences: ['second'] },
    ]);
  });

  it('has no caller if it is public', async () => {
    const { url } = await startApp('express', { controllers: [FirstController, SecondController] });
    expect((await send(`${url}/open`, 'Bearer abc')).body).toBe('{"caller":null}');
  });
});

describe('one handler that two classes inherit', () => {
  abstract class SharedController {
    protected abstract answer(response: ServerResponse, next: () => void): void;

    @Get('shared') shared(@Res() response: ServerResponse, @Next() next: () => void) {
      this.answer(response, next);
    }
  }
  @Controller()
  @K8sAuth('first')
  class PassingController extends SharedController {
    protected override answer(_response: ServerResponse, next: () => void): void {
      next();
    }
  }
  @Controller()
  @K8sAuth('second', allowServiceAccounts('shop/admin'))
  class AnsweringController extends SharedController {
    protected override answer(response: ServerResponse): void {
      response.end('second');
    }
  }

  it.each([
    ['shop/checkout', 403],
    ['shop/admin', 200],
  ])('is decided for each of them: %s gets %i', async (caller, status) => {
    const verifier = new ScriptedVerifier(() => verdictFor(caller));
    const { url } = await startApp('express', {
      controllers: [PassingController, AnsweringController],
      verifier,
    });
    expect((await send(`${url}/shared`, 'Bearer abc')).status).toBe(status);
    expect(verifier.asked.map(({ audiences }) => audiences)).toEqual([['first'], ['second']]);
  });
});

describe('K8sAuthGuard without an application', () => {
  function contextOf(type: string, request: object): ExecutionContextHost {
    const { list } = OrdersController.prototype as { list: (this: void) => string };
    const context = new ExecutionContextHost([request, {}], OrdersController, list);
    context.setType(type);
    return context;
  }

  it('returns synchronously if the verifier does, and otherwise a promise', async () => {
    const immediate = await startApp('express', { controllers: [OrdersController], audience: 'shop' });
    const request = { headers: { authorization: 'Bearer abc' } };
    expect(immediate.app.get(K8sAuthGuard).canActivate(contextOf('http', request))).toBe(true);

    const verifier = new ScriptedVerifier(() => Promise.resolve(verdictFor('shop/checkout')));
    const later = await startApp('express', { controllers: [OrdersController], verifier, audience: 'shop' });
    const again = { headers: { authorization: 'Bearer abc' } };
    const result = later.app.get(K8sAuthGuard).canActivate(contextOf('http', again));
    expect(result).toBeInstanceOf(Promise);
    await expect(result).resolves.toBe(true);
  });

  it.each(['ws', 'rpc', 'graphql', 'HTTP'])('refuses the context %j', async (type) => {
    const verifier = new ScriptedVerifier();
    const controllers = [OrdersController];
    const { app, log } = await startApp('express', { controllers, verifier, audience: 'shop' });
    const guard = app.get(K8sAuthGuard);
    const request = { headers: { authorization: 'Bearer abc' } };
    // Also for a request that was accepted over HTTP: that says nothing about another context.
    expect(guard.canActivate(contextOf('http', request))).toBe(true);
    expect(() => guard.canActivate(contextOf(type, request))).toThrow(UnsupportedContextError);
    expect(verifier.asked).toHaveLength(1);
    expect(log.events).toMatchObject([{ level: 'warn', code: 'ERR_K8S_AUTH_CONTEXT_UNSUPPORTED' }]);
  });
});
