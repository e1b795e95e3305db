import {
  type CanActivate,
  Controller,
  Get,
  Injectable,
  Req,
  Scope,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { ApplicationConfig, ExternalContextCreator } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { MessagePattern } from '@nestjs/microservices';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { UndecoratedRouteError, UnsupportedContextError } from '../../errors.js';
import { ADAPTERS, closeApps, inboundModule, send, startApp } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';

@Controller()
class Messages {
  @MessagePattern('plain') plain(_data: unknown) {}
  @MessagePattern('guarded') @K8sAuth('orders') guarded(_data: unknown) {}
}

@Controller()
class Open {
  @MessagePattern('open') @Public() open(_data: unknown) {}
  helper() {}
}

/** Nest creates an instance for each message, which may be of any class. */
@Controller({ scope: Scope.REQUEST })
class Scoped {
  @MessagePattern('scoped') @K8sAuth('orders') guarded(_data: unknown) {}
}

class Unregistered {
  find() {}
}

afterEach(closeApps);

/** A context as Nest creates it for a message. */
function contextOf(type: string, routeClass: Type, name: string, args: unknown[] = [{ data: 1 }]) {
  const handler = Reflect.get(routeClass.prototype as object, name) as () => void;
  const context = new ExecutionContextHost(args, routeClass, handler);
  context.setType(type);
  return context;
}

/** @returns `true`, or the error that refuses the context */
function answerOf(guard: CanActivate, context: ExecutionContextHost): unknown {
  try {
    return guard.canActivate(context);
  } catch (error) {
    return error;
  }
}

describe.each(ADAPTERS)('a function of a provider that a library runs with a request (%s)', (adapter) => {
  @Injectable()
  class Listener {
    hear() {
      return 'heard';
    }
    @UseGuards(K8sAuthGuard) guarded() {
      return 'heard';
    }
  }

  /** As libraries for commands, loaders or schedules run functions: with all guards of Nest. */
  @Controller()
  class Orders {
    constructor(
      private readonly external: ExternalContextCreator,
      private readonly listener: Listener,
    ) {}
    @Get('hear') @Public() hear(@Req() request: unknown) {
      return this.run('hear', request);
    }
    @Get('guarded') @Public() guarded(@Req() request: unknown) {
      return this.run('guarded', request);
    }
    @Get('message') @Public() message() {
      return this.run('guarded', { content: 'of a message' }, { fields: 'of the message' });
    }
    private run(name: 'hear' | 'guarded', ...args: unknown[]): unknown {
      const { listener } = this;
      return this.external.create(listener, Reflect.get(listener, name), name)(...args) as unknown;
    }
  }

  it('runs, but is refused with 403 if it has our guard, because it names no audience', async () => {
    const { url, log } = await startApp(adapter, { controllers: [Orders], providers: [Listener] });
    expect(await send(`${url}/hear`, 'Bearer abc')).toMatchObject({ status: 200, body: 'heard' });
    for (const path of ['guarded', 'message'])
      expect((await send(`${url}/${path}`, 'Bearer abc')).status).toBe(403);
    const code = 'ERR_K8S_AUTH_ROUTE_UNDECORATED';
    expect(log.events).toMatchObject([{ code }, { code }]);
  });
});

describe('a message that arrives before startup is complete', () => {
  it('is refused by a handler with a decorator, and passes to any other handler', async () => {
    const testing = await inboundModule({ controllers: [Messages] }).compile();
    const app = testing.createNestApplication();
    const [guard] = app.get(ApplicationConfig).getGlobalGuards() as [CanActivate];
    expect(answerOf(guard, contextOf('rpc', Messages, 'guarded'))).toBeInstanceOf(UnsupportedContextError);
    expect(answerOf(guard, contextOf('rpc', Messages, 'plain'))).toBe(true);
    await app.close();
  });
});

describe('a handler that is not in the route table', () => {
  async function guards(guardIsGlobal: boolean) {
    const { app } = await startApp('express', { controllers: [Messages, Open, Scoped], guardIsGlobal });
    const [ofTable] = app.get(ApplicationConfig).getGlobalGuards() as [CanActivate];
    return { ofTable, ofDecorators: app.get(K8sAuthGuard) };
  }

  it('gets no message of a microservice or a gateway if the guard is global', async () => {
    const { ofTable } = await guards(true);
    for (const type of ['rpc', 'ws'])
      expect(answerOf(ofTable, contextOf(type, Unregistered, 'find'))).toBeInstanceOf(
        UnsupportedContextError,
      );
  });

  it('is refused in the form of gRPC, by both guards', async () => {
    const { ofTable, ofDecorators } = await guards(true);
    const metadata = new Metadata();
    for (const guard of [ofTable, ofDecorators]) {
      const context = contextOf('rpc', Unregistered, 'find', [{}, metadata, { metadata }]);
      expect(answerOf(guard, context)).toMatchObject({
        error: { code: 7, details: 'Forbidden' },
        cause: expect.any(UndecoratedRouteError) as unknown,
      });
    }
  });

  it('is identified by its class where request-scoped instances exist', async () => {
    const { ofTable } = await guards(false);
    expect(answerOf(ofTable, contextOf('graphql', Unregistered, 'find'))).toBeInstanceOf(
      UnsupportedContextError,
    );
    expect(answerOf(ofTable, contextOf('graphql', Open, 'helper'))).toBe(true);
  });
});
