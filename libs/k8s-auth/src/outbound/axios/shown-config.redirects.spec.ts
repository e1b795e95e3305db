import { describe, expect, it } from '@jest/globals';
import { SentToken } from '../sent-token.js';
import { guardedRedirect } from './shown-config.js';

/** Where axios makes the agent itself, the headers of a hop hold the token. */
describe('guardedRedirect', () => {
  function follow(from: string, to: string, hook?: (hop: { headers?: object }) => void) {
    const sent = new SentToken(from, 'secret', true);
    const { protocol, hostname, port, href } = new URL(to);
    const headers: Record<string, string> = { AuthorizaTion: 'Bearer secret', Accept: '*/*' };
    // follow-redirects takes the brackets off IPv6 addresses.
    const hop = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, href, headers };
    guardedRedirect(sent, hook)(
      hop,
      { headers: {}, statusCode: 302 },
      { headers: {}, url: from, method: 'GET' },
    );
    return { headers, hasLeftOrigin: sent.hasLeftOrigin };
  }

  it.each([
    ['https://a.test', 'https://a.test:443/x'],
    ['http://a.test', 'http://A.test:80/x'],
    ['http://[::1]:8080', 'http://[::1]:8080/x'],
  ])('keeps the token from %s to %s', (from, to) => {
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
  ])('removes the token from %s to %s', (from, to) => {
    expect(follow(from, to)).toEqual({ headers: { Accept: '*/*' }, hasLeftOrigin: true });
  });

  it('removes the token with a version of axios before 1.16, which passes no request', () => {
    const headers: Record<string, string> = { authorization: 'Bearer secret' };
    const redirect = guardedRedirect(new SentToken('http://a.test', 'secret', true), undefined);
    const response = { headers: {}, statusCode: 302 };
    (redirect as (hop: object, from: typeof response) => void)(
      { href: 'http://b.test/x', headers },
      response,
    );
    expect(headers).toEqual({});
  });

  it("removes the token before the caller's hook is called", () => {
    let seen: unknown;
    follow('http://a.test', 'http://b.test', (hop) => (seen = { ...hop.headers }));
    expect(seen).toEqual({ Accept: '*/*' });
  });
});
