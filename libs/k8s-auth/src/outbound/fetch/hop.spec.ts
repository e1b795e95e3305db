import { describe, expect, it } from '@jest/globals';
import { nextHop } from './hop.js';

const hop = {
  url: 'https://orders.shop.svc/a',
  method: 'POST',
  headers: { authorization: 'Bearer abc', cookie: 'c', 'content-type': 'text/plain', accept: '*/*' },
  hasBody: true,
};

describe('the next hop of a redirect', () => {
  it('within the origin keeps the credentials, and drops those of its own URL', () => {
    expect(nextHop(hop, 307, 'https://user:password@orders.shop.svc/b')).toEqual({
      ...hop,
      url: 'https://orders.shop.svc/b',
    });
  });

  it('to another origin loses the credentials', () => {
    expect(nextHop(hop, 307, 'https://other.shop.svc/b')).toMatchObject({
      url: 'https://other.shop.svc/b',
      headers: { 'content-type': 'text/plain', accept: '*/*' },
    });
    expect(nextHop(hop, 307, 'http://orders.shop.svc/b').headers).not.toHaveProperty('authorization');
  });

  it.each(['https://user@other.shop.svc/', 'https://:password@other.shop.svc/', 'ftp://orders.shop.svc/'])(
    'is refused for %s, as by fetch',
    (location) => {
      expect(() => nextHop(hop, 302, location)).toThrow(
        expect.objectContaining({ name: 'TypeError', message: 'fetch failed' }),
      );
    },
  );

  it.each([
    [301, 'POST', 'GET'],
    [302, 'PUT', 'PUT'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [308, 'POST', 'POST'],
  ])('after %i changes %s to %s, and has a body only if the method stays', (status, method, next) => {
    const { method: used, hasBody, headers } = nextHop({ ...hop, method }, status, '/b');
    expect(used).toBe(next);
    expect(hasBody).toBe(method === next);
    expect('content-type' in headers).toBe(method === next);
  });
});
