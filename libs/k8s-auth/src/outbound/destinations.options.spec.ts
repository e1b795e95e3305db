import { describe, expect, it } from '@jest/globals';
import { destinationsSchema, originOfUrl } from './destinations.options.js';

function mistakesOf(destinations: unknown): string[] {
  const { error } = destinationsSchema.safeParse(destinations);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const tokenFile = '/var/run/secrets/tokens/service2';

describe('destinationsSchema', () => {
  it.each([
    'http://service2.mytest.svc',
    'https://service2.mytest.svc:8443',
    'http://service2.mytest.svc/',
    'HTTP://Service2',
    'http://10.0.0.1:80',
    'http://[::1]:8080',
    'nats://nats.mq.svc:4222',
    'postgres://DB.shop.svc:5432/',
    'kafka://[::1]:9092',
    'ws://service2:80',
  ])('accepts the origin %s', (origin) => {
    expect(mistakesOf([{ origin, tokenFile }])).toEqual([]);
  });

  it.each([
    'service2.mytest.svc',
    'service2:8080',
    '//service2',
    '/service2',
    'ftp://service2',
    'ws://service2',
    'htp://service2',
    'nats://nats.mq.svc',
    'nats://me@nats.mq.svc:4222',
    'nats://nats.mq.svc:4222/path',
    'nats://nats.mq.svc:99999',
    'nats://nats.mq.svc:0x1',
    'nats://a b:4222',
    'nats://*.mq.svc:4222',
    'nats:nats.mq.svc:4222',
    ' nats://nats.mq.svc:4222',
    'http:service2',
    'http:/service2',
    'http:///service2',
    'http://',
    'http://service2/path',
    'http://service2//',
    'http://service2?',
    'http://service2/?x=1',
    'http://service2#',
    'http://me@service2',
    'http://me:x@service2',
    'http://@service2',
    'http://service2\\path',
    'http://service2:99999',
    'http://service2:port',
    'http://*.mytest.svc',
    'http://a b',
    ' http://service2',
    'http://service2\n',
    '',
  ])('rejects the origin %j', (origin) => {
    expect(mistakesOf([{ origin, tokenFile }])).toEqual([
      "0.origin: expected 'http(s)://host' or 'http(s)://host:port', or 'scheme://host:port' for another protocol",
    ]);
  });

  it.each([
    ['http://service2', 'http://service2'],
    ['http://service2', 'http://SERVICE2:80/'],
    ['https://service2:443', 'https://service2'],
    ['nats://Nats.mq.svc:4222', 'NATS://nats.mq.svc:4222/'],
  ])('rejects the same origin twice: %s and %s', (one, other) => {
    const origins = ['http://service1', one, other];
    expect(mistakesOf(origins.map((origin) => ({ origin, tokenFile })))).toEqual([
      '2.origin: expected a different origin than [1]',
    ]);
  });

  it('accepts origins that differ in scheme, port or subdomain', () => {
    const origins = ['http://service2', 'https://service2', 'http://service2:8080', 'http://a.service2'];
    expect(mistakesOf(origins.map((origin) => ({ origin, tokenFile })))).toEqual([]);
  });

  it('names every mistake by its option', () => {
    const mistakes = mistakesOf([
      { origin: 'http://service2', tokenFile: '', audience: '' },
      { origin: 1 },
      { origin: 'http://service3', tokenFile, file: 'x' },
    ]);
    expect(mistakes).toEqual([
      '0.tokenFile: expected a path that is not empty',
      '0.audience: expected a name that is not empty',
      expect.stringMatching(/^1\.origin: /),
      expect.stringMatching(/^1\.tokenFile: /),
      expect.stringMatching(/^2: .*"file"/),
    ]);
  });

  it('accepts an empty list', () => {
    expect(mistakesOf([])).toEqual([]);
  });
});

describe('originOfUrl', () => {
  it.each([
    ['http://service2:80/path?a#b', 'http://service2'],
    ['postgres://me:secret@DB.shop.svc:5432/orders?sslmode=require', 'postgres://db.shop.svc:5432'],
    ['nats://nats.mq.svc:4222', 'nats://nats.mq.svc:4222'],
    ['nats://nats.mq.svc', undefined],
    ['http://', undefined],
    ['text', undefined],
  ])('of %s is %s', (url, origin) => {
    expect(originOfUrl(url)).toBe(origin);
  });
});
