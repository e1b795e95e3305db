import { describe, expect, it } from '@jest/globals';
import { type InternalAxiosRequestConfig } from 'axios';
import { RedirectGuard } from './redirects.js';

/** Without axios in front, whose own rule may change: peers of this library begin at 1.18. */
describe('RedirectGuard', () => {
  function follow(from: string, to: string, config: Partial<InternalAxiosRequestConfig> = {}) {
    const guard = new RedirectGuard(from, 'secret', config as InternalAxiosRequestConfig);
    const { protocol, hostname, port, href } = new URL(to);
    const headers: Record<string, string> = { AuthorizaTion: 'Bearer secret', Accept: '*/*' };
    // follow-redirects takes the brackets off IPv6 addresses.
    const hop = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, href, headers };
    guard.beforeRedirect(hop, { headers: {}, statusCode: 302 }, { headers: {}, url: from, method: 'GET' });
    return { headers, hasLeftOrigin: guard.hasLeftOrigin };
  }

  it.each([
    ['https://a.test', 'https://a.test:443/x'],
    ['http://a.test', 'http://A.test:80/x'],
    ['http://[::1]:8080', 'http://[::1]:8080/x'],
  ])('lets the token stay from %s to %s', (from, to) => {
    expect(follow(from, to)).toEqual({
      headers: { AuthorizaTion: 'Bearer secret', Accept: '*/*' },
      hasLeftOrigin: false,
    });
  });

  it.each([
    ['http://a.test', 'http://sub.a.test/x'],
    ['http://a.test', 'https://a.test/x'],
    ['https://a.test', 'http://a.test/x'],
    ['http://a.test', 'http://a.test:8080/x'],
    ['http://a.test', 'ftp://a.test/x'],
  ])('takes it away from %s to %s', (from, to) => {
    expect(follow(from, to)).toEqual({ headers: { Accept: '*/*' }, hasLeftOrigin: true });
  });

  it('goes by the URL alone when a proxy is set, which is what the parts name then', () => {
    const guard = (to: string) => {
      const proxy = { host: 'proxy.test', port: 3128 };
      const redirects = new RedirectGuard('http://a.test', 'secret', { proxy } as InternalAxiosRequestConfig);
      const hop = { protocol: 'http:', hostname: proxy.host, port: proxy.port, href: to };
      redirects.beforeRedirect(
        hop,
        { headers: {}, statusCode: 302 },
        { headers: {}, url: '', method: 'GET' },
      );
      return redirects.hasLeftOrigin;
    };
    expect(guard('http://a.test/x')).toBe(false);
    expect(guard('http://b.test/x')).toBe(true);
  });

  it('takes the token away before the hook of the caller looks', () => {
    let seen: unknown;
    const beforeRedirect = (hop: { headers?: object }) => (seen = { ...hop.headers });
    follow('http://a.test', 'http://b.test', { beforeRedirect });
    expect(seen).toEqual({ Accept: '*/*' });
  });
});
