import {
  type ArgumentsHost,
  Catch,
  Controller,
  Get,
  HttpException,
  type INestApplication,
} from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { InvalidTokenError, VerifierUnavailableError } from '../../errors.js';
import { ADAPTERS, closeApps, send, startApp } from '../../../test-support/inbound-app.js';
import { ScriptedVerifier, verdictFor } from '../../../test-support/scripted-verifier.js';
import { K8sAuth } from '../k8s-auth.decorators.js';

@Controller()
class OrdersController {
  @Get() @K8sAuth('orders', allowServiceAccounts('shop/admin')) list() {}
}

const verifier = new ScriptedVerifier((token) => {
  if (token === 'good') return verdictFor('shop/checkout');
  if (token === 'away') throw new VerifierUnavailableError('API server is away');
  throw new InvalidTokenError('EXPIRED', '"exp" has passed');
});

/** Adds a field to the body of each exception, as an application may, and answers as Nest does. */
@Catch(HttpException)
class ChangingFilter extends BaseExceptionFilter {
  readonly caught: HttpException[] = [];

  constructor(app: INestApplication) {
    super(app.getHttpAdapter());
  }

  override catch(exception: HttpException, host: ArgumentsHost): void {
    this.caught.push(exception);
    const body = exception.getResponse() as { count?: number };
    body.count = (body.count ?? 0) + 1;
    super.catch(exception, host);
  }
}

function hasFrames(error: unknown): boolean {
  return /\n\s+at /.test((error as Error).stack ?? '');
}

afterEach(closeApps);

describe.each(ADAPTERS)('the exceptions of refused requests on %s', (adapter) => {
  async function setUp() {
    const filters: ChangingFilter[] = [];
    const { url } = await startApp(adapter, {
      controllers: [OrdersController],
      verifier,
      configure: (app) => {
        filters.push(new ChangingFilter(app));
        app.useGlobalFilters(...filters);
      },
    });
    return { url, filters };
  }

  it('are new objects with bodies of their own, which a filter may change', async () => {
    const { url, filters } = await setUp();
    for (let request = 0; request < 2; request++) {
      expect((await send(url)).body).toBe('{"message":"Unauthorized","statusCode":401,"count":1}');
      expect((await send(url, 'Bearer bad')).body).toBe(
        '{"message":"Unauthorized","statusCode":401,"count":1}',
      );
      expect((await send(url, 'Bearer good')).body).toBe(
        '{"message":"Forbidden","statusCode":403,"count":1}',
      );
    }
    expect(new Set(filters.flatMap(({ caught }) => caught)).size).toBe(6);
  });

  it('have no stack trace, and neither have their causes, except for an outage', async () => {
    const { url, filters } = await setUp();
    const before = Error.stackTraceLimit;
    for (const authorization of [[], 'Bearer', 'Bearer bad', 'Bearer good', 'Bearer away'])
      await send(url, authorization);
    const caught = filters.flatMap((filter) => filter.caught);
    expect(caught.map((exception) => [exception.getStatus(), exception.name, hasFrames(exception)])).toEqual([
      [401, 'UnauthorizedException', false],
      [400, 'BadRequestException', false],
      [401, 'UnauthorizedException', false],
      [403, 'ForbiddenException', false],
      [503, 'ServiceUnavailableException', false],
    ]);
    expect(caught.map(({ cause }) => hasFrames(cause))).toEqual([false, false, false, false, true]);
    expect(Error.stackTraceLimit).toBe(before);
  });
});
