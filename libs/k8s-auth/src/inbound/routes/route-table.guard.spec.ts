import { type CanActivate, Controller, Get, Injectable, type Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { MessagePattern } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import { UnsupportedContextError } from '../../errors.js';
import { closeApps, startApp } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

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
}

@Injectable()
class Listener {
  hear() {}
}

class Unregistered {
  find() {}
}

afterEach(closeApps);

describe('the guard of the route table, in a context that is not an HTTP request', () => {
  async function answerTo(type: string, routeClass: Type, name: string): Promise<unknown> {
    const { app } = await startApp('express', {
      controllers: [Orders],
      providers: [Gateway, Listener],
      configure: (one) => one.useWebSocketAdapter(new WsAdapter(one)),
    });
    const [guard] = app.get(ApplicationConfig).getGlobalGuards() as [CanActivate];
    const handler = Reflect.get(routeClass.prototype as object, name) as () => void;
    const context = new ExecutionContextHost([{ data: 1 }, {}], routeClass, handler);
    context.setType(type);
    try {
      return guard.canActivate(context);
    } catch (error) {
      return error;
    }
  }

  it.each<[string, string, Type, string]>([
    ['a protected route', 'http', Orders, 'list'],
    ['a protected handler of a controller', 'rpc', Orders, 'sum'],
    ['a protected handler of a gateway', 'ws', Gateway, 'guarded'],
    ['a class that is not registered', 'rpc', Unregistered, 'find'],
    ['a class that is not registered', 'graphql', Unregistered, 'find'],
    ['a provider that claims to handle messages', 'rpc', Listener, 'hear'],
  ])('throws for %s (%s)', async (_, type, routeClass, name) => {
    expect(await answerTo(type, routeClass, name)).toBeInstanceOf(UnsupportedContextError);
  });

  it.each<[string, string, Type, string]>([
    ['an undecorated handler of a controller', 'rpc', Orders, 'plain'],
    ['a public handler of a controller', 'rpc', Orders, 'open'],
    ['an undecorated handler of a gateway', 'ws', Gateway, 'plain'],
    ['a function of a provider that a library runs', 'http', Listener, 'hear'],
    ['a function of a provider that a library runs', 'queue', Listener, 'hear'],
  ])('lets %s pass (%s)', async (_, type, routeClass, name) => {
    expect(await answerTo(type, routeClass, name)).toBe(true);
  });
});
