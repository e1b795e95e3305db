import { type CanActivate, Controller, Get, Injectable, Scope, SetMetadata, type Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { MessagePattern } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { UnsupportedContextError } from '../../errors.js';
import { closeApps, startApp } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';

@Controller()
class Orders {
  @Get() @K8sAuth('orders') list() {}
  @MessagePattern('sum') @K8sAuth('orders') sum(_data: unknown) {}
  @MessagePattern('plain') plain(_data: unknown) {}
  @MessagePattern('open') @Public() open(_data: unknown) {}
}

@WebSocketGateway()
class Gateway {
  @SubscribeMessage('guarded') @K8sAuth('orders') guarded(_data: unknown) {}
  @SubscribeMessage('plain') plain(_data: unknown) {}
  @SubscribeMessage('open') @Public() open(_data: unknown) {}
}

const Query = () => SetMetadata('graphql:resolver_type', 'Query');

@Injectable()
@Public()
class Resolver {
  @Query() open() {}
  @Query() @K8sAuth('orders') guarded() {}
}

/** Binds its handlers for each request. */
@Controller({ scope: Scope.REQUEST })
class Scoped {
  @MessagePattern('scoped') plain(_data: unknown) {}
  @MessagePattern('scoped.open') @Public() open(_data: unknown) {}
}

@Controller({ scope: Scope.REQUEST })
class ScopedGuarded {
  @MessagePattern('scoped.plain') plain(_data: unknown) {}
  @MessagePattern('scoped.guarded') @K8sAuth('orders') guarded(_data: unknown) {}
}

@Injectable()
class Listener {
  hear() {}
}

class Unregistered {
  find() {}
}

afterEach(closeApps);

describe('RouteTableGuard, in a context that is not an HTTP request', () => {
  async function answerTo(
    type: string,
    routeClass: Type,
    name: string,
    { controllers = [Orders] as Type[], isBound = false, ofDecorators = false } = {},
  ): Promise<unknown> {
    const { app } = await startApp('express', {
      controllers,
      providers: [Gateway, Listener, Resolver],
      configure: (one) => one.useWebSocketAdapter(new WsAdapter(one)),
    });
    const [ours] = app.get(ApplicationConfig).getGlobalGuards() as [CanActivate];
    const method = Reflect.get(routeClass.prototype as object, name) as () => void;
    const handler = isBound ? method.bind(undefined) : method;
    const context = new ExecutionContextHost([{ data: 1 }, {}], routeClass, handler);
    context.setType(type);
    try {
      return (ofDecorators ? app.get(K8sAuthGuard) : ours).canActivate(context);
    } catch (error) {
      return error;
    }
  }

  it.each<[string, string, Type, string]>([
    ['a protected route', 'http', Orders, 'list'],
    ['a protected handler of a controller', 'rpc', Orders, 'sum'],
    ['a protected handler of a gateway', 'ws', Gateway, 'guarded'],
  ])('throws for %s (%s)', async (_, type, routeClass, name) => {
    expect(await answerTo(type, routeClass, name)).toBeInstanceOf(UnsupportedContextError);
  });

  it.each<[string, string, Type, string]>([
    ['an undecorated handler of a controller', 'rpc', Orders, 'plain'],
    ['a public handler of a controller', 'rpc', Orders, 'open'],
    ['an undecorated handler of a gateway', 'ws', Gateway, 'plain'],
    ['a function of a provider that a library runs', 'http', Listener, 'hear'],
    ['a function of a provider that a library runs', 'queue', Listener, 'hear'],
    ['a class that is not registered', 'rpc', Unregistered, 'find'],
    ['a class that is not registered', 'graphql', Unregistered, 'find'],
    ['a provider in the context of a message handler', 'rpc', Listener, 'hear'],
  ])('accepts %s (%s)', async (_, type, routeClass, name) => {
    expect(await answerTo(type, routeClass, name)).toBe(true);
  });

  it('refuses a function that may replace a protected handler of its class', async () => {
    for (const [type, routeClass] of [
      ['rpc', Orders],
      ['ws', Gateway],
      ['graphql', Resolver],
    ] as const)
      expect(await answerTo(type, routeClass, 'open', { isBound: true })).toBeInstanceOf(
        UnsupportedContextError,
      );
  });

  it('accepts functions that a constructor binds, if no handler of the class is protected', async () => {
    const controllers = [Orders, Scoped];
    for (const name of ['plain', 'open'])
      expect(await answerTo('rpc', Scoped, name, { controllers, isBound: true })).toBe(true);
  });

  it('refuses unknown functions that a request-scoped instance with protected handlers may have', async () => {
    const controllers = [Orders, ScopedGuarded];
    for (const [routeClass, name] of [
      [Unregistered, 'find'],
      [Listener, 'hear'],
    ] as const)
      expect(await answerTo('rpc', routeClass, name, { controllers })).toBeInstanceOf(
        UnsupportedContextError,
      );
    expect(await answerTo('graphql', Listener, 'hear', { controllers })).toBe(true);
    expect(await answerTo('rpc', ScopedGuarded, 'plain', { controllers })).toBe(true);
  });

  it.each<[string, Type, string, boolean]>([
    ['rpc', Orders, 'open', true],
    ['ws', Gateway, 'open', true],
    ['graphql', Resolver, 'open', true],
    ['rpc', Orders, 'plain', false],
    ['rpc', Orders, 'sum', false],
    ['ws', Gateway, 'plain', false],
    ['ws', Gateway, 'guarded', false],
    ['graphql', Resolver, 'guarded', false],
    ['graphql', Unregistered, 'find', false],
  ])('K8sAuthGuard accepts %s %p.%s: %s', async (type, routeClass, name, passes) => {
    const answer = await answerTo(type, routeClass, name, { ofDecorators: true });
    expect(answer instanceof UnsupportedContextError ? false : answer).toBe(passes);
  });
});
