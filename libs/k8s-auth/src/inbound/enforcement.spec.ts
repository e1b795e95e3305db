import { type IncomingMessage } from 'node:http';
import {
  Controller,
  Get,
  type ExecutionContext,
  Injectable,
  type CanActivate,
  Req,
  UseGuards,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../authorization/rules.js';
import { InvalidTokenError, VerifierUnavailableError } from '../errors.js';
import { type Principal } from '../identity/principal.js';
import {
  ADAPTERS,
  closeApps,
  type RunningApp,
  send,
  startApp,
  startupMistakes,
} from '../../test-support/inbound-app.js';
import { ScriptedVerifier, verdictFor } from '../../test-support/scripted-verifier.js';
import { Caller, EnforceK8sAuth, getPrincipal, K8sAuth, Public } from './k8s-auth.decorators.js';
import { K8sAuthWouldRefuseCounts } from './request/would-refuse-counts.js';
import { K8sAuthGuard } from './request/k8s-auth.guard.js';

/** Stores what another guard of the application learns about the caller. */
const seenByGuard: (Principal | undefined)[] = [];
@Injectable()
class LaterGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    seenByGuard.push(getPrincipal(context));
    return true;
  }
}

@Controller('orders')
@K8sAuth('orders')
class OrdersController {
  @Get() list(@Caller('username') username: string | undefined) {
    return { username: username ?? null };
  }
  @Get('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin(@Caller() caller?: Principal) {
    return { username: caller?.username ?? null };
  }
  @Get('enforced') @EnforceK8sAuth(true) enforced() {
    return 'enforced';
  }
  @Get('guarded') @UseGuards(K8sAuthGuard, LaterGuard) guarded() {
    return 'guarded';
  }
  @Get('header') header(@Req() { headers }: IncomingMessage) {
    return headers.authorization ?? 'none';
  }
  @Get('health') @Public() health() {
    return 'healthy';
  }
}

@Controller('legacy')
class LegacyController {
  @Get() legacy() {
    return 'legacy';
  }
}

@Controller('trial')
@K8sAuth('orders')
class TrialController {
  @Get() @EnforceK8sAuth(false) trial() {
    return 'trial';
  }
  @Get('closed') closed() {
    return 'closed';
  }
}

@Controller('base')
@K8sAuth('orders')
@EnforceK8sAuth(false)
class BaseController {
  @Get() read() {
    return 'read';
  }
}

@Controller('sub')
class SubController extends BaseController {}

@Controller('strict')
@K8sAuth('orders')
@EnforceK8sAuth(true)
class StrictController {
  @Get() read() {
    return 'read';
  }
}

@Controller('strict-sub')
class StrictSubController extends StrictController {}

const script = (token: string) => {
  if (token.includes(' ')) throw new InvalidTokenError('MALFORMED', 'token is not a JWT');
  if (token === 'forged') throw new InvalidTokenError('SIGNATURE', 'signature does not match');
  if (token === 'outage') return Promise.reject(new VerifierUnavailableError('API server is unreachable'));
  return verdictFor('shop/checkout');
};

afterEach(async () => {
  seenByGuard.length = 0;
  await closeApps();
});

describe.each(ADAPTERS)('enforce: false on %s', (adapter) => {
  let running: RunningApp;
  let verifier: ScriptedVerifier;

  const start = async (enforce?: boolean) => {
    verifier = new ScriptedVerifier(script);
    running = await startApp(adapter, {
      controllers: [
        OrdersController,
        LegacyController,
        TrialController,
        BaseController,
        SubController,
        StrictController,
        StrictSubController,
      ],
      verifier,
      guardIsGlobal: true,
      ...(enforce !== undefined && { enforce }),
    });
  };
  const get = (path: string, authorization?: string | string[]) => send(running.url + path, authorization);
  const codes = () => running.log.warnings.map(({ message, code }) => [message, code]);
  const counts = () => running.app.get(K8sAuthWouldRefuseCounts, { strict: false }).list();
  const PASSED = 'request would be refused, but passes';

  it.each([
    ['no token', [], 'ERR_K8S_AUTH_TOKEN_MISSING'],
    ['two tokens', ['Bearer a', 'Bearer b'], 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED'],
    ['a text that is not one token', ['Bearer a b'], 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED'],
    ['a forged token', ['Bearer forged'], 'ERR_K8S_AUTH_TOKEN_SIGNATURE'],
    ['a token during an outage', ['Bearer outage'], 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE'],
  ])('passes a request with %s, and logs it once', async (_, authorization, code) => {
    await start(false);
    const { status, body, challenge, retryAfter } = await get('/orders', authorization);
    expect({ status, challenge, retryAfter }).toEqual({ status: 200 });
    expect(JSON.parse(body)).toEqual({ username: null });
    expect(codes()).toEqual([[PASSED, code]]);
  });

  it('asks the verifier once for each request, although several guards run', async () => {
    await start(false);
    await get('/orders/guarded', 'Bearer forged');
    expect(verifier.asked).toHaveLength(1);
    expect(seenByGuard).toEqual([undefined]);
    expect(codes()).toEqual([[PASSED, 'ERR_K8S_AUTH_TOKEN_SIGNATURE']]);
  });

  it('gives the handler the principal of a genuine caller, and logs nothing', async () => {
    await start(false);
    const { body } = await get('/orders', 'Bearer genuine');
    expect(JSON.parse(body)).toEqual({ username: 'system:serviceaccount:shop:checkout' });
    expect(codes()).toEqual([]);
  });

  it('gives the handler the principal of a genuine caller that a rule would refuse', async () => {
    await start(false);
    const { status, body } = await get('/orders/admin', 'Bearer genuine');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ username: 'system:serviceaccount:shop:checkout' });
    expect(running.log.warnings).toEqual([
      expect.objectContaining({
        message: PASSED,
        code: 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN',
        route: 'GET /orders/admin',
        sub: 'system:serviceaccount:shop:checkout',
        verified: true,
      }),
    ]);
  });

  it('counts what would be refused by route and code', async () => {
    await start(false);
    for (const token of ['forged', 'forged', 'genuine']) await get('/orders/admin', `Bearer ${token}`);
    await get('/legacy');
    expect(counts()).toEqual([
      { route: 'GET /orders/admin', code: 'ERR_K8S_AUTH_TOKEN_SIGNATURE', count: 2 },
      { route: 'GET /orders/admin', code: 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN', count: 1 },
      { route: 'GET /legacy', code: 'ERR_K8S_AUTH_ROUTE_UNDECORATED', count: 1 },
    ]);
  });

  it('passes requests to a route without a decorator, once for both guards', async () => {
    await start(false);
    expect((await get('/legacy')).body).toBe('legacy');
    expect(codes()).toEqual([[PASSED, 'ERR_K8S_AUTH_ROUTE_UNDECORATED']]);
  });

  it('enforces a route with @EnforceK8sAuth(true)', async () => {
    await start(false);
    expect(await get('/orders/enforced', 'Bearer forged')).toMatchObject({
      status: 401,
      challenge: 'Bearer error="invalid_token"',
    });
    expect((await get('/strict')).status).toBe(401);
    expect((await get('/strict-sub')).status).toBe(401);
    expect(counts()).toEqual([]);
  });

  it.each([undefined, true])(
    'does not enforce a route with @EnforceK8sAuth(false) (option: %s)',
    async (option) => {
      await start(option);
      expect((await get('/trial', 'Bearer forged')).body).toBe('trial');
      expect((await get('/trial/closed', 'Bearer forged')).status).toBe(401);
      expect((await get('/orders', 'Bearer forged')).status).toBe(401);
      expect((await get('/legacy')).status).toBe(403);
    },
  );

  it('does not inherit @EnforceK8sAuth(false)', async () => {
    await start();
    expect((await get('/base')).status).toBe(200);
    expect((await get('/sub')).status).toBe(401);
  });

  it('keeps the Authorization header unless the token was accepted', async () => {
    await start(false);
    expect((await get('/orders/header', 'Basic bGVnYWN5')).body).toBe('Basic bGVnYWN5');
    expect((await get('/orders/header', 'Bearer genuine')).body).toBe('none');
  });
});

describe('startup with enforce: false', () => {
  it.each([
    ['null', null],
    ['a text', 'false'],
    ['nothing', undefined],
    ['a number', 0],
  ])('rejects @EnforceK8sAuth with %s, so that only false opens a route', (_, value) => {
    expect(() => EnforceK8sAuth(value as never)).toThrow('expected true or false');
  });

  it('rejects @EnforceK8sAuth on a route that nothing protects', async () => {
    @Controller()
    class UnprotectedController {
      @Get() @EnforceK8sAuth(false) open() {}
      @Get('public') @Public() @EnforceK8sAuth(false) public() {}
    }
    expect(await startupMistakes({ controllers: [UnprotectedController] })).toEqual([
      expect.stringMatching(/^UnprotectedController.open: expected @K8sAuth beside @EnforceK8sAuth/),
      expect.stringMatching(/^UnprotectedController.public: expected @K8sAuth beside @EnforceK8sAuth/),
    ]);
  });

  it('enforces a route with both true and false', async () => {
    @Controller()
    @K8sAuth('orders')
    class BothController {
      @Get() @EnforceK8sAuth(false) @EnforceK8sAuth(true) read() {}
    }
    const { url } = await startApp('express', { controllers: [BothController] });
    expect((await send(url)).status).toBe(401);
  });
});
