import { describe, expect, it } from '@jest/globals';
import { readRefusal } from './service-lines.js';

const FIELDS =
  "code: 'ERR_K8S_AUTH_TOKEN_EXPIRED', route: 'GET /orders', reason: 'x', sub: 'system:serviceaccount:shop:checkout', credentialId: 'JTI=41b9-7', verified: false";
const EXPIRED = {
  status: 401,
  code: 'ERR_K8S_AUTH_TOKEN_EXPIRED',
  credentialId: '41b9-7',
  subject: 'system:serviceaccount:shop:checkout',
  route: 'GET /orders',
};

describe('readRefusal', () => {
  it('reads a text line of Nest', () => {
    const line = `[Nest] 1  - 11/26/2026, 9:00:00 AM    WARN [K8sAuth] request refused { ${FIELDS} }`;
    expect(readRefusal(line)).toEqual(EXPIRED);
  });

  it('reads a JSON line of Nest', () => {
    const { code, route, subject: sub } = EXPIRED;
    const message = { message: 'request refused', code, route, sub, credentialId: 'JTI=41b9-7' };
    expect(readRefusal(JSON.stringify({ level: 'warn', message }))).toEqual(EXPIRED);
  });

  it.each([
    ['TOKEN_MISSING', 401],
    ['CREDENTIALS_MALFORMED', 400],
    ['TOKEN_AUDIENCE', 401],
    ['PRINCIPAL_FORBIDDEN', 403],
    ['ROUTE_UNDECORATED', 403],
    ['VERIFIER_UNAVAILABLE', 503],
  ])('knows the status of %s', (code, status) => {
    expect(readRefusal(`request refused { code: 'ERR_K8S_AUTH_${code}' }`)).toEqual({
      status,
      code: `ERR_K8S_AUTH_${code}`,
    });
  });

  it('ignores other lines', () => {
    expect(readRefusal('hello')).toBeUndefined();
    expect(readRefusal("refusals suppressed { code: 'ERR_K8S_AUTH_TOKEN_EXPIRED' }")).toBeUndefined();
  });
});
