// The AppModule of README.md with a port of its own, as a compiler leaves it: decorators are plain calls.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { Caller, K8sAuth, K8sAuthGuard, k8sAuthConfig, K8sAuthModule } from 'nest-k8s-auth';

class OrdersController {
  list(caller) {
    return `hello ${caller.username} from ${process.pid}`;
  }
}
const list = Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list');
Get()(OrdersController.prototype, 'list', list);
Caller()(OrdersController.prototype, 'list', 0);
Controller('orders')(OrdersController);
// With forRootAsync, the audience is that of the environment.
const isAsync = process.argv[2] === 'forRootAsync';
K8sAuth(...(isAsync ? [] : ['orders']))(OrdersController);

class AppModule {}
Module({
  imports: [
    isAsync
      ? K8sAuthModule.forRootAsync(k8sAuthConfig.asProvider())
      : K8sAuthModule.forRoot({ verifier: { kind: 'oidc-discovery' } }),
  ],
  controllers: [OrdersController],
  providers: [{ provide: APP_GUARD, useExisting: K8sAuthGuard }],
})(AppModule);

const app = await NestFactory.create(AppModule);
await app.listen(process.env.PORT ?? 3000);
