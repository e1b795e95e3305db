import { expect, it } from '@jest/globals';
import { type ServiceOptions } from './dev.options.js';
import { tryLines } from './try-lines.js';

const checkout = { namespace: 'shop', name: 'checkout' };
const service: ServiceOptions = {
  command: ['node'],
  identity: { namespace: 'shop', name: 'orders' },
  audience: 'orders',
  verifier: 'oidc-discovery',
  destinations: [],
  port: 3000,
  path: '/orders',
  environment: {},
  tries: [{ status: 403, path: '/admin', note: 'not an admin' }],
};
const files = {
  valid: new Map([['shop/checkout', '/t/valid']]),
  otherAudience: '/t/other',
  expired: '/t/old',
};
const linesOn = (platform: NodeJS.Platform) =>
  tryLines({ callers: [checkout] }, service, files, platform).map((line) => line.replace(/-H .*?" /, '… '));

it('shows a command for each caller, for each kind of refusal and for each route that the service names', () => {
  expect(linesOn('linux')).toEqual([
    '  200  curl -i … http://localhost:3000/orders   # shop/checkout',
    '  401  curl -i http://localhost:3000/orders   # no token',
    '  401  curl -i … http://localhost:3000/orders   # issued for another service',
    '  401  curl -i … http://localhost:3000/orders   # expired',
    '  403  curl -i … http://localhost:3000/admin   # not an admin',
  ]);
});

it('puts the note before the command on Windows, because cmd.exe has no comment with #', () => {
  expect(linesOn('win32')[1]).toBe('  401  no token:  curl.exe -i "http://localhost:3000/orders"');
  expect(linesOn('win32').join('')).not.toContain('#');
});
