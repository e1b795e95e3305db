import { describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { type HttpAdapterHost } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Test } from '@nestjs/testing';
import { K8sAuth, K8sAuthGuard, UndecoratedRouteError } from '../index.js';
import { ReplacedMethodGuard } from './replaced-method.guard.js';

@Controller()
class MethodController {
  @Get('method')
  @K8sAuth('orders')
  method(): string {
    return 'ok';
  }
}

@Controller()
@K8sAuth('orders')
class ClassController {
  @Get('class')
  class(): string {
    return 'ok';
  }
}

describe('without K8sAuthModule, as in a unit test of a user', () => {
  it('keeps replaced methods shut in contexts that are not HTTP too', () => {
    const bound = (): string => 'ok';
    const context = new ExecutionContextHost([{}], MethodController, bound);
    context.setType('ws');
    const guard = new ReplacedMethodGuard({} as HttpAdapterHost);
    expect(() => guard.canActivate(context)).toThrow(UndecoratedRouteError);
  });

  it('can put its own guard in the place of ours', async () => {
    const testing = await Test.createTestingModule({ controllers: [MethodController, ClassController] })
      .overrideGuard(K8sAuthGuard)
      .useValue({ canActivate: () => true })
      .compile();
    const app: INestApplication = testing.createNestApplication({ logger: false });
    try {
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      for (const path of ['method', 'class']) expect((await fetch(`${url}/${path}`)).status).toBe(200);
    } finally {
      await app.close();
    }
  });
});
