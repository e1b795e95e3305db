import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { K8sAuth, Public } from '../../src/index.js';
import { closeApps, startApp } from '../../test-support/inbound-app.js';
import { exportRoutes } from './exported-routes.js';

@Controller('orders')
@K8sAuth()
class OrdersController {
  @Get() list(): string {
    return 'orders';
  }

  @Get('old') @K8sAuth(['orders', 'orders-v2']) old(): string {
    return 'old';
  }

  @Get('health') @Public() health(): string {
    return 'ok';
  }
}

@Controller('metrics')
class MetricsController {
  @Get() metrics(): string {
    return '0';
  }
}

afterEach(closeApps);

describe('npx nest-k8s-auth routes', () => {
  it('lists every route with its audiences', async () => {
    const { app } = await startApp('express', {
      controllers: [OrdersController, MetricsController],
      audience: 'orders',
      guardIsGlobal: true,
    });
    expect(exportRoutes(app).routes).toEqual([
      { route: 'MetricsController.metrics', access: 'undecorated', audiences: [] },
      { route: 'OrdersController.health', access: 'public', audiences: [] },
      { route: 'OrdersController.list', access: 'protected', audiences: ['orders'] },
      { route: 'OrdersController.old', access: 'protected', audiences: ['orders', 'orders-v2'] },
    ]);
    expect(exportRoutes(app).options).toMatchObject({ audience: 'orders' });
  });
});
