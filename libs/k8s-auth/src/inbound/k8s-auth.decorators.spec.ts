import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { map } from 'rxjs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { type Principal } from '../identity/principal.js';
import { Caller, findPrincipal, getPrincipal, K8sAuth, Public } from './k8s-auth.decorators.js';
import { ADAPTERS, closeApps, send, startApp } from '../../test-support/inbound-app.js';
import { ScriptedVerifier, verdictFor } from '../../test-support/scripted-verifier.js';

@Injectable()
class GreetingInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const { username } = getPrincipal(context);
    return next.handle().pipe(map((body) => `${String(body)} for ${username}`));
  }
}

@Controller()
@K8sAuth('orders')
class CallerController {
  @Get('whole') whole(@Caller() caller: Principal) {
    return caller;
  }
  @Get('name') name(@Caller('serviceAccount') name: string, @Caller('namespace') namespace: string) {
    return `${namespace}/${name}`;
  }
  @Get('pod') pod(@Caller('pod') pod?: Principal['pod']) {
    return { pod: pod ?? null };
  }
  @Get('greeting') @UseInterceptors(GreetingInterceptor) greeting() {
    return 'hello';
  }
  @Get('open') @Public() open(@Caller() caller?: Principal, @Caller('username') username?: string) {
    return { caller: caller ?? null, username: username ?? null };
  }
}

@Controller('unguarded')
class UnguardedController {
  @Get() whole(@Caller() caller: Principal) {
    return caller;
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('@Caller on %s', (adapter) => {
  it('passes the principal, or one property of it', async () => {
    const { url } = await startApp(adapter, { controllers: [CallerController] });
    expect(JSON.parse((await send(`${url}/whole`, 'Bearer abc')).body)).toMatchObject({
      username: 'system:serviceaccount:shop:checkout',
      credentialId: 'JTI=41b9',
    });
    expect((await send(`${url}/name`, 'Bearer abc')).body).toBe('shop/checkout');
    expect((await send(`${url}/pod`, 'Bearer abc')).body).toBe('{"pod":null}');
  });

  it('returns the same principal as getPrincipal in an interceptor', async () => {
    const { url } = await startApp(adapter, { controllers: [CallerController], guardIsGlobal: true });
    expect((await send(`${url}/greeting`, 'Bearer abc')).body).toBe(
      'hello for system:serviceaccount:shop:checkout',
    );
  });

  it('does not mix up the callers of concurrent requests', async () => {
    const verifier = new ScriptedVerifier((token) =>
      Promise.resolve().then(() => verdictFor(`shop/${token}`)),
    );
    const { url } = await startApp(adapter, { controllers: [CallerController], verifier });
    const names = Array.from({ length: 50 }, (_, index) => `caller-${index}`);
    const answers = await Promise.all(names.map((name) => send(`${url}/name`, `Bearer ${name}`)));
    expect(answers.map(({ body }) => body)).toEqual(names.map((name) => `shop/${name}`));
  });

  it('is undefined on a public route, with or without a token', async () => {
    const { url } = await startApp(adapter, { controllers: [CallerController], guardIsGlobal: true });
    for (const authorization of ['Bearer abc', []]) {
      expect((await send(`${url}/open`, authorization)).body).toBe('{"caller":null,"username":null}');
    }
  });

  it('fails on a route without a guard', async () => {
    const { url } = await startApp(adapter, { controllers: [UnguardedController] });
    expect((await send(`${url}/unguarded`, 'Bearer abc')).status).toBe(500);
  });
});

describe('getPrincipal', () => {
  it.each(['http', 'ws'])('throws and names the handler if there is no principal (%s)', (type) => {
    const handler = Reflect.get(CallerController.prototype, 'whole') as unknown as () => void;
    const context = new ExecutionContextHost([{ headers: {} }], CallerController, handler);
    context.setType(type);
    const asking = () => getPrincipal(context);
    expect(asking).toThrow(ConfigurationError);
    expect(asking).toThrow(/CallerController\.whole: expected a caller that @K8sAuth has accepted/);
  });
});

describe('findPrincipal', () => {
  class KnownCallerInterceptor implements NestInterceptor {
    intercept(context: ExecutionContext, next: CallHandler) {
      const { serviceAccount = 'nobody' } = findPrincipal(context) ?? {};
      return next.handle().pipe(map((body) => `${String(body)} for ${serviceAccount}`));
    }
  }

  @Controller()
  @K8sAuth('orders')
  @UseInterceptors(KnownCallerInterceptor)
  class MixedController {
    @Get('guarded') guarded() {
      return 'hello';
    }
    @Get('open') @Public() open() {
      return 'hello';
    }
  }

  it.each(ADAPTERS)('returns the caller, and undefined on a public route (%s)', async (adapter) => {
    const { url } = await startApp(adapter, { controllers: [MixedController] });
    expect((await send(`${url}/guarded`, 'Bearer abc')).body).toBe('hello for checkout');
    expect((await send(`${url}/open`, 'Bearer abc')).body).toBe('hello for nobody');
  });
});
