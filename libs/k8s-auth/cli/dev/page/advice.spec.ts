import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { adviceFor } from './advice.js';

describe('adviceFor', () => {
  it('has a sentence for every code that a refused request can have', () => {
    const errors = readFileSync(new URL('../../../src/errors.ts', import.meta.url), 'utf8');
    const [, reasons = ''] = /InvalidTokenReason =([^;]+);/.exec(errors) ?? [];
    const codes = [
      ...[...reasons.matchAll(/'(\w+)'/g)].map(([, reason]) => `TOKEN_${reason}`),
      ...['TOKEN_MISSING', 'CREDENTIALS_MALFORMED', 'PRINCIPAL_FORBIDDEN', 'ROUTE_UNDECORATED'],
      'VERIFIER_UNAVAILABLE',
    ];
    expect(codes.length).toBeGreaterThan(10);
    for (const code of codes)
      expect([code, adviceFor(`ERR_K8S_AUTH_${code}`)]).toEqual([code, expect.stringMatching(/\.$/)]);
    expect(adviceFor(undefined)).toBeUndefined();
  });
});
