import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { ConfigurationError, InvalidTokenError, VerifierUnavailableError } from '../../errors.js';
import {
  ADAPTERS,
  closeApps,
  type RunningApp,
  send,
  shapedToken,
  startApp,
} from '../../../test-support/inbound-app.js';
import { ScriptedVerifier, verdictFor } from '../../../test-support/scripted-verifier.js';
import { K8sAuth } from '../k8s-auth.decorators.js';

const EXPIRED = shapedToken({ sub: 'system:serviceaccount:shop:expired' });

const verifier = new ScriptedVerifier((token) => {
  switch (token) {
    case 'good':
      return verdictFor('shop/checkout');
    case 'later':
      return Promise.resolve(verdictFor('shop/checkout'));
    case 'later-expired':
      return Promise.reject(new InvalidTokenError('EXPIRED', '"exp" has passed'));
    case 'away':
      throw new VerifierUnavailableError('API server is away', { retryAfterMs: 2_001 });
    case 'away-shortly':
      throw new VerifierUnavailableError('API server is away', { retryAfterMs: 0 });
    case 'away-for-ever':
      throw new VerifierUnavailableError('API server is away', { retryAfterMs: Number.POSITIVE_INFINITY });
    case 'crash':
      throw new TypeError('cannot read properties of undefined');
    case 'later-crash':
      return Promise.reject(new RangeError('out of memory'));
    case 'later-nothing':
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a custom verifier may do this
      return Promise.reject(undefined);
    case 'misconfigured':
      throw new ConfigurationError(['option gone']);
    case 'no-verdict':
      return undefined;
    case 'no-principal':
      return { validUntilMs: 0 };
    case 'true':
      return true;
    default:
      throw new InvalidTokenError('SIGNATURE', 'signature does not hold');
  }
});

@Controller()
class OrdersController {
  @Get()
  @K8sAuth('orders')
  list() {
    return 'listed';
  }

  @Get('admin')
  @K8sAuth('orders', allowServiceAccounts('shop/admin'))
  admin() {
    return 'administered';
  }
}

const MISSING = {
  status: 401,
  challenge: 'Bearer',
  retryAfter: undefined,
  body: '{"message":"Unauthorized","statusCode":401}',
};
const INVALID = { ...MISSING, challenge: 'Bearer error="invalid_token"' };
const MALFORMED = {
  status: 400,
  challenge: 'Bearer error="invalid_request"',
  retryAfter: undefined,
  body: '{"message":"Bad Request","statusCode":400}',
};
const FORBIDDEN = {
  status: 403,
  challenge: 'Bearer error="insufficient_scope"',
  retryAfter: undefined,
  body: '{"message":"Forbidden","statusCode":403}',
};
const UNAVAILABLE = {
  status: 503,
  challenge: undefined,
  retryAfter: '1',
  body: '{"message":"Service Unavailable","statusCode":503}',
};
const LISTED = { status: 200, challenge: undefined, retryAfter: undefined, body: 'listed' };

describe.each(ADAPTERS)('the response to the caller on %s', (adapter) => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp(adapter, { controllers: [OrdersController], verifier });
  });
  afterAll(closeApps);

  it.each([
    ['a good token', 'Bearer good', LISTED],
    ['a good token, decided later', 'bearer  later', LISTED],
    ['no header', [], MISSING],
    ['an empty header', '', MISSING],
    ['another scheme', 'Basic Z29vZA==', MISSING],
    ['a scheme that only begins with bearer', 'BearerX good', MISSING],
    ['only the scheme', 'Bearer', MALFORMED],
    ['two tokens', 'Bearer good good', MALFORMED],
    ['a tab for a space', 'Bearer\tgood', MALFORMED],
    ['two headers', ['Bearer good', 'Bearer good'], MALFORMED],
    ['two headers, one of another scheme', ['Bearer good', 'Basic Z29vZA=='], MALFORMED],
    ['two headers, one of them empty', ['Bearer good', ''], MALFORMED],
    ['a refused token', 'Bearer rubbish', INVALID],
    ['a token refused later', 'Bearer later-expired', INVALID],
    ['a token that looks like a JWT but is not one', `Bearer ${EXPIRED}`, INVALID],
    ['a token that is too long', `Bearer ${'x'.repeat(8193)}`, INVALID],
    ['an outage', 'Bearer away', { ...UNAVAILABLE, retryAfter: '3' }],
    ['an outage that ends within a second', 'Bearer away-shortly', UNAVAILABLE],
    ['an outage without an end', 'Bearer away-for-ever', UNAVAILABLE],
    ['an unexpected error', 'Bearer crash', UNAVAILABLE],
    ['an unexpected error, later', 'Bearer later-crash', UNAVAILABLE],
    ['a rejection without an error', 'Bearer later-nothing', UNAVAILABLE],
    ['an error without an HTTP response', 'Bearer misconfigured', UNAVAILABLE],
    ['no verdict', 'Bearer no-verdict', UNAVAILABLE],
    ['a verdict without a principal', 'Bearer no-principal', UNAVAILABLE],
    ['`true` instead of a verdict', 'Bearer true', UNAVAILABLE],
  ])('%s', async (_, authorization, expected) => {
    expect(await send(running.url, authorization)).toEqual(expected);
  });

  it('is 403 for a verified caller that no rule allows', async () => {
    expect(await send(`${running.url}/admin`, 'Bearer good')).toEqual(FORBIDDEN);
  });

  it('is 401 for a token in the query or in another header', async () => {
    expect(await send(`${running.url}/?access_token=good`)).toEqual(MISSING);
    expect(await send(running.url, 'Bearer good', 'X-Forwarded-Authorization')).toEqual(MISSING);
    expect(await send(running.url, 'Bearer good', 'AUTHORIZATION')).toEqual(LISTED);
  });
});
