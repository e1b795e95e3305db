import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Module,
  Post,
  Scope,
  type Type,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import {
  allowNamespaces,
  allowServiceAccounts,
  Caller,
  K8S_AUTH_CLOCK,
  K8sAuth,
  K8sAuthGuard,
  K8sAuthModule,
  type Principal,
  Public,
} from '../../src/index.js';
import { type AdapterName, newAdapter } from '../../test-support/inbound-app.js';
import { FakeClock, testK8sAuth, type TestK8sAuthOptions } from '../index.js';

@Controller('orders')
@K8sAuth('orders')
class OrdersController {
  @Get()
  list(@Caller() caller: Principal): Principal {
    return caller;
  }

  @Post()
  @K8sAuth('orders', allowServiceAccounts('shop/admin'), allowNamespaces('shop'))
  create(@Caller('serviceAccount') name: string): string {
    return name;
  }

  @Get('health')
  @Public()
  health(@Caller() caller: Principal | undefined): string {
    return caller ? 'somebody' : 'nobody';
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {}

@Controller('scoped')
@K8sAuth('orders', allowNamespaces('shop'))
class ScopedController {
  constructor(readonly state: PerRequest) {}

  @Get()
  username(@Caller('username') username: string): string {
    return username;
  }
}

@Controller('open')
class UndecoratedController {
  @Get()
  open(): string {
    return 'open';
  }
}

const controllers = [OrdersController, ScopedController, UndecoratedController];

// As a user writes it. The key file does not exist, so a verifier cannot be created.
export const verifier = {
  kind: 'jwt-pubkey',
  issuer: 'https://issuer.test',
  publicKeyFiles: ['/missing/sa.pub'],
} as const;

@Module({ imports: [K8sAuthModule.forRoot({ verifier })], controllers, providers: [PerRequest] })
export class DecoratorsModule {}

@Module({
  imports: [K8sAuthModule.forRoot({ verifier })],
  controllers,
  providers: [PerRequest, { provide: APP_GUARD, useExisting: K8sAuthGuard }],
})
export class GlobalGuardModule {}

const apps: INestApplication[] = [];

/** For afterEach. */
export async function closeTestApps(): Promise<void> {
  for (const app of apps.splice(0)) await app.close();
}

/** A real application on a loopback socket, as a user's test starts it. */
export async function startTestApp(
  adapter: AdapterName,
  AppModule: Type,
  options?: TestK8sAuthOptions,
  clock = new FakeClock(),
) {
  const builder = testK8sAuth(Test.createTestingModule({ imports: [AppModule] }), options);
  const testing = await builder.overrideProvider(K8S_AUTH_CLOCK).useValue(clock).compile();
  const app = testing.createNestApplication(newAdapter(adapter), { logger: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  return { app, http: request(await app.getUrl()) };
}
