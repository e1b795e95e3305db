import { Controller, Get, Injectable, Post, Scope, type Type } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ADAPTERS,
  type AppSetup,
  closeApps,
  inboundModule,
  send,
  startApp,
  startupMistakes,
} from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';

/** Stands for the controller of a package, which the user cannot decorate. */
@Controller('metrics')
class PrometheusController {
  @Get() index() {
    return 'metrics';
  }
  @Post('push') push() {}
}

@Controller('sub')
class SubController extends PrometheusController {}

@Controller('plain')
class PlainController {
  @Get() plain() {}
}

@Controller('mixed')
class MixedController {
  @Get() open() {}
  @Get('orders') @K8sAuth('orders') orders() {}
}

@Controller('orders')
@K8sAuth('orders')
class OrdersController {
  @Get() list() {}
}

@Controller('open')
@Public()
class OpenController {
  @Get() list() {}
}

const all = [PrometheusController, SubController, PlainController, MixedController, OrdersController];
const closed = (publicControllers: AppSetup['publicControllers'], controllers: Type[] = all): AppSetup => ({
  controllers,
  publicControllers,
  guardIsGlobal: true,
});

async function statusesOf(
  url: string,
  paths: readonly string[],
): Promise<Record<string, number | undefined>> {
  const answers = await Promise.all(paths.map((path) => send(`${url}/${path}`)));
  return Object.fromEntries(paths.map((path, index) => [path, answers[index]?.status]));
}

const PATHS = ['metrics', 'sub', 'plain', 'mixed', 'mixed/orders', 'orders'];
const CLOSED = { metrics: 403, sub: 403, plain: 403, mixed: 403, 'mixed/orders': 401, orders: 401 };

afterEach(closeApps);

describe.each(ADAPTERS)('option publicControllers under APP_GUARD, on %s', (adapter) => {
  it('opens the undecorated routes of the listed classes only: no subclass and no protected route', async () => {
    const { url } = await startApp(adapter, closed([PrometheusController, MixedController]));
    expect(await statusesOf(url, PATHS)).toEqual({ ...CLOSED, metrics: 200, mixed: 200 });
  });

  it('opens the classes for which a function returns true', async () => {
    const { url } = await startApp(
      adapter,
      closed(({ name }) => name === 'PrometheusController'),
    );
    expect(await statusesOf(url, PATHS)).toEqual({ ...CLOSED, metrics: 200 });
  });

  it('opens nothing by default, with an empty list, or if the function returns false', async () => {
    for (const option of [undefined, [], () => false]) {
      const { url } = await startApp(adapter, closed(option));
      expect(await statusesOf(url, PATHS)).toEqual(CLOSED);
    }
  });

  it('opens a request-scoped controller', async () => {
    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class ScopedController {
      @Get() list() {}
    }
    const { url } = await startApp(adapter, closed([ScopedController], [ScopedController]));
    expect(await statusesOf(url, ['scoped'])).toEqual({ scoped: 200 });
  });
});

describe('startup fails', () => {
  it.each<[string, AppSetup['publicControllers'], RegExp]>([
    [
      'a class that is not a registered controller',
      [OpenController],
      /^option 'publicControllers': expected OpenController among the controllers of the modules that this K8sAuthModule serves$/,
    ],
    [
      'a class whose routes are all protected',
      [OrdersController],
      /^option 'publicControllers': expected no OrdersController, because each of its routes has @K8sAuth or @Public$/,
    ],
    [
      'a function that returns no boolean',
      (() => Promise.resolve(true)) as unknown as () => boolean,
      /^option 'publicControllers': expected the function to return true or false for PrometheusController$/,
    ],
    [
      'a function that throws',
      () => {
        throw new Error('broken');
      },
      /^option 'publicControllers': expected the function to return true or false for PrometheusController/,
    ],
  ])('with %s, and names it', async (_, option, text) => {
    expect(await startupMistakes(closed(option))).toContainEqual(expect.stringMatching(text));
  });

  it('with a provider in the list, and names it', async () => {
    @Injectable()
    class MetricsService {}
    expect(await startupMistakes({ ...closed([MetricsService]), providers: [MetricsService] })).toEqual([
      expect.stringMatching(/expected MetricsService among the controllers/),
    ]);
  });

  it('with a listed class that may replace a protected class which is not registered', async () => {
    @Controller('replaced')
    class Replaced {
      @Get() @K8sAuth('orders') find() {}
    }
    const copy = Replaced.prototype;
    @Controller('replaced')
    class Replacement {
      @Get() find() {
        return copy.find();
      }
    }
    const mistakes = await startupMistakes(closed([Replacement], [Replacement]));
    expect(mistakes).toEqual([expect.stringMatching(/^Replacement\.find: expected @K8sAuth or @Public/)]);
  });
});

it('opens no message handler of a listed controller', async () => {
  @Controller('both')
  class BothController {
    @Get() list() {}
    @MessagePattern('sum') sum() {}
  }
  const warnings: unknown[] = [];
  const ignore = () => undefined;
  const testing = await inboundModule(closed([BothController], [BothController]))
    .setLogger({ log: ignore, error: ignore, warn: (event) => void warnings.push(event) })
    .compile();
  const app = testing.createNestApplication();
  await app.init();
  await app.close();
  expect(warnings).toEqual([expect.objectContaining({ routes: ['BothController.sum'] })]);
});
