import 'reflect-metadata';
import { Controller, type DynamicModule, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

export interface NestAppOptions {
  /** Decorates the route that is measured, such as `UseGuards(...)`. @default none: the route is open */
  readonly protect?: MethodDecorator;
  readonly imports?: readonly DynamicModule[];
}

/**
 * Nest on Fastify, as small as it gets: `/` answers a small JSON and is protected, `/open` answers the same and is not.
 * Warnings are logged, as in production.
 * @returns the URL on loopback
 */
export async function listen({ protect, imports = [] }: NestAppOptions): Promise<string> {
  @Controller()
  class HelloController {
    @Get()
    hello(): object {
      return { message: 'hello' };
    }

    @Get('open')
    open(): object {
      return { message: 'hello' };
    }
  }
  const route = Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello');
  if (protect && route) protect(HelloController.prototype, 'hello', route);

  @Module({ imports: [...imports], controllers: [HelloController] })
  class AppModule {}

  const logger = ['error' as const, 'warn' as const];
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger });
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}
