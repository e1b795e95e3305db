import { type ServerResponse } from 'node:http';
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  Injectable,
  Module,
  UseGuards,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { InvalidTokenError, VerifierUnavailableError } from '../../errors.js';
import { ADAPTERS, closeApps, send, shapedToken, startApp } from '../../../test-support/inbound-app.js';
import { ScriptedVerifier, verdictFor } from '../../../test-support/scripted-verifier.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

@Injectable()
class ClosingGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Controller({ path: 'orders', version: ['1', VERSION_NEUTRAL] })
@K8sAuth('orders')
class OrdersController {
  @Get(':id') find() {
    return 'found';
  }
  @Get(':id/closed') @UseGuards(ClosingGuard) closed() {
    return 'closed';
  }
  @Get(':id/health') @Public() health() {
    return 'healthy';
  }
  @Get(['a', 'b']) many() {
    return 'many';
  }
  @Get(':id/admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {}
  @Get(':id/threw')
  @K8sAuth('orders', () => {
    throw new Error('no such list');
  })
  threw() {}
  @Get(':id/async')
  @K8sAuth('orders', (() => Promise.reject(new Error('late'))) as never)
  late() {}
}

@Catch(HttpException)
class ProblemFilter implements ExceptionFilter {
  static readonly caught: HttpException[] = [];

  constructor(private readonly host: HttpAdapterHost) {}

  catch(exception: HttpException, host: ArgumentsHost): void {
    ProblemFilter.caught.push(exception);
    const response = host.switchToHttp().getResponse<unknown>();
    this.host.httpAdapter.setHeader(response, 'Content-Type', 'application/problem+json');
    this.host.httpAdapter.reply(
      response,
      JSON.stringify({ status: exception.getStatus() }),
      exception.getStatus(),
    );
  }
}

/** An exception filter that records the exceptions. */
@Catch()
class RecordingFilter implements ExceptionFilter {
  private record = (_exception: unknown): void => {};
  readonly caught = new Promise<unknown>((resolve) => (this.record = resolve));

  catch(exception: unknown): void {
    this.record(exception);
  }
}

@Module({ controllers: [OrdersController] })
class FeatureModule {}

const verifier = new ScriptedVerifier((token) => {
  if (token === 'abc') return verdictFor('shop/checkout');
  if (token === 'away') throw new VerifierUnavailableError('away', { retryAfterMs: 5_000 });
  throw new InvalidTokenError('EXPIRED', '"exp" has passed');
});

afterEach(closeApps);

describe.each(ADAPTERS)('the guard together with other parts of Nest on %s', (adapter) => {
  it("keeps the challenge and Retry-After if a user's exception filter answers", async () => {
    ProblemFilter.caught.length = 0;
    const { url } = await startApp(adapter, {
      controllers: [OrdersController],
      verifier,
      providers: [{ provide: APP_FILTER, useClass: ProblemFilter }],
    });
    expect(await send(`${url}/orders/1`, 'Bearer expired')).toEqual({
      status: 401,
      challenge: 'Bearer error="invalid_token"',
      retryAfter: undefined,
      body: '{"status":401}',
    });
    expect(await send(`${url}/orders/1`, 'Bearer away')).toMatchObject({ status: 503, retryAfter: '5' });
    expect(ProblemFilter.caught.map(({ cause }) => (cause as { code: string }).code)).toEqual([
      'ERR_K8S_AUTH_TOKEN_EXPIRED',
      'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
    ]);
  });

  it('guards a feature module that does not import K8sAuthModule', async () => {
    const { url } = await startApp(adapter, { controllers: [], imports: [FeatureModule], verifier });
    expect((await send(`${url}/orders/1`)).status).toBe(401);
    expect((await send(`${url}/orders/1`, 'Bearer abc')).body).toBe('found');
  });

  it('guards routes with a prefix and a version', async () => {
    const { url, log } = await startApp(adapter, {
      controllers: [OrdersController],
      verifier,
      configure: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI });
      },
    });
    for (const path of ['/api/orders/1', '/api/v1/orders/1']) {
      expect((await send(`${url}${path}`)).status).toBe(401);
      expect((await send(`${url}${path}`, 'Bearer abc')).body).toBe('found');
      expect((await send(`${url}${path}/health`)).body).toBe('healthy');
    }
    expect(log.events.map(({ route }) => route)).toEqual(['GET /api/orders/:id', 'GET /api/v1/orders/:id']);
  });

  it('does not open a route that another guard closes', async () => {
    const { url, log } = await startApp(adapter, {
      controllers: [OrdersController],
      verifier,
      guardIsGlobal: true,
    });
    expect(await send(`${url}/orders/1/closed`, 'Bearer abc')).toMatchObject({
      status: 403,
      challenge: undefined,
    });
    expect((await send(`${url}/orders/1/closed`)).status).toBe(401);
    expect(log.events).toHaveLength(1);
  });

  it('refuses a request if a rule denies it, throws, or returns a promise', async () => {
    const { url, log } = await startApp(adapter, { controllers: [OrdersController], verifier });
    for (const path of ['admin', 'threw', 'async'])
      expect((await send(`${url}/orders/1/${path}`, 'Bearer abc')).status).toBe(403);
    expect(log.events.map(({ reason }) => reason)).toEqual([
      'rule allowServiceAccounts refused: shop/checkout is not in the list',
      'rule without a name refused: threw an error: no such list',
      'rule without a name refused: gave a promise instead of a decision',
    ]);
    expect(log.events).toMatchObject(
      Array.from({ length: 3 }, () => ({ sub: 'system:serviceaccount:shop:checkout', verified: true })),
    );
  });

  it('logs the pattern of the route, and nothing that the caller sent', async () => {
    const { url, log } = await startApp(adapter, { controllers: [OrdersController], verifier });
    const token = shapedToken({ sub: 'system:serviceaccount:shop:expired', jti: 'j-1' });
    for (const authorization of [`Bearer ${token}`, [`Bearer ${token}`, 'Basic c2VjcmV0'], `Basic ${token}`])
      await send(`${url}/orders/4711?secret=yes`, authorization);
    expect(log.events).toMatchObject([
      {
        code: 'ERR_K8S_AUTH_TOKEN_EXPIRED',
        sub: 'system:serviceaccount:shop:expired',
        credentialId: 'JTI=j-1',
      },
      { code: 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED' },
      { code: 'ERR_K8S_AUTH_TOKEN_MISSING' },
    ]);
    expect(log.events.map(({ route }) => route)).toEqual(Array(3).fill('GET /orders/:id'));
    const text = JSON.stringify(log.events);
    for (const piece of ['secret', '4711', 'c2VjcmV0', token.slice(0, 16), token.slice(-16)])
      expect(text).not.toContain(piece);
  });

  it('refuses the request even if other code has already answered', async () => {
    let release = (): void => {};
    const answered = new Promise<void>((resolve) => (release = resolve));
    const slow = new ScriptedVerifier(() =>
      answered.then(() => Promise.reject(new InvalidTokenError('EXPIRED', '"exp" has passed'))),
    );
    const filter = new RecordingFilter();
    const { url } = await startApp(adapter, {
      controllers: [OrdersController],
      verifier: slow,
      providers: [{ provide: APP_FILTER, useValue: filter }],
      configure: (app) =>
        app.use((_request: unknown, response: ServerResponse, next: () => void) => {
          next();
          response.statusCode = 504;
          response.end('too late', release);
        }),
    });
    expect(await send(`${url}/orders/1`, 'Bearer abc')).toMatchObject({ status: 504, challenge: undefined });
    expect(await filter.caught).toMatchObject({ status: 401 });
  });
});
