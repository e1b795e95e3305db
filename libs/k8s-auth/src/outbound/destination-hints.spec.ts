import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../test-support/captured-log.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { K8sAuthTokenSource } from './k8s-auth-token-source.js';
import { TokenMint, TokenVolume } from '../token-file/token-volume.fixture.js';

const TEN_MINUTES_MS = 600_000;

let clock: FakeClock;
let log: CapturedLog;
let volume: TokenVolume;

beforeEach(async () => {
  clock = new FakeClock();
  log = new CapturedLog();
  volume = new TokenVolume(await new TokenMint(clock).mint());
});

afterEach(() => volume.remove());

function sourceOf(...origins: string[]): K8sAuthTokenSource {
  const destinations = origins.map((origin) => ({ origin, tokenFile: volume.file }));
  return new K8sAuthTokenSource(destinations, { clock, log });
}

async function call(source: K8sAuthTokenSource, url: string, times = 1): Promise<void> {
  for (let count = 0; count < times; count++) await source.getToken(url);
}

const SIMILAR = /^no token is attached, but this origin seems to be a destination under another name/;

describe('a destination that is called under another name', () => {
  it.each([
    ['http://service2.mytest.svc', 'http://service2.mytest'],
    ['http://service2.mytest.svc', 'http://service2'],
    ['http://service2.mytest.svc', 'http://service2.mytest.svc.cluster.local'],
    ['http://service2.mytest.svc', 'http://service2.mytest.svc.'],
    ['http://service2.mytest.svc', 'http://service2.mytest.svc:8080'],
    ['http://service2.mytest.svc', 'https://service2.mytest.svc'],
    ['http://service2', 'http://service2.mytest.svc'],
    ['https://api.example.com', 'https://api.example.com:8443'],
  ])('%s causes one warning after a 401 of %s', async (listed, origin) => {
    const source = sourceOf('http://other.svc', listed);
    await call(source, `${origin}/orders`);
    expect(log.warnings).toEqual([]);
    source.noteUnauthorized(origin);
    source.noteUnauthorized(`${origin}/orders`);
    expect(log.warnings).toEqual([
      {
        message: expect.stringMatching(SIMILAR) as unknown,
        origin: new URL(origin).origin,
        destination: listed,
        status: 401,
      },
    ]);
  });

  it('causes one warning after ten calls', async () => {
    const source = sourceOf('http://service2.mytest.svc');
    await call(source, 'http://service2.mytest.svc.cluster.local/a', 9);
    expect(log.warnings).toEqual([]);
    await call(source, 'http://service2.mytest.svc.cluster.local/b', 20);
    source.noteUnauthorized('http://service2.mytest.svc.cluster.local');
    expect(log.warnings).toEqual([
      {
        message: expect.stringMatching(SIMILAR) as unknown,
        origin: 'http://service2.mytest.svc.cluster.local',
        destination: 'http://service2.mytest.svc',
        calls: 10,
      },
    ]);
    expect(log.infos).toHaveLength(1);
  });

  it.each([
    ['http://service2.mytest.svc', 'http://service3.mytest.svc'],
    ['http://service2.mytest.svc', 'http://service2.other.svc'],
    ['http://service2.mytest.svc', 'http://service2.example.com'],
    ['http://service2.mytest.svc', 'http://a.service2.mytest.svc'],
    ['https://api.example.com', 'https://www.example.com'],
    ['http://127.0.0.1:3000', 'http://127.0.0.2:3000'],
  ])('%s is not what %s means', async (listed, origin) => {
    const source = sourceOf(listed);
    await call(source, origin, 30);
    source.noteUnauthorized(origin);
    expect(log.warnings).toEqual([]);
  });

  it.each(['http://localhost:9000', 'http://127.0.0.1:9000', 'http://[::1]:9000'])(
    'on one machine, another port (%s) is another service, unless it answers 401',
    async (origin) => {
      const source = sourceOf('http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000');
      await call(source, origin, 30);
      expect(log.warnings).toEqual([]);
      source.noteUnauthorized(origin);
      expect(log.warnings).toHaveLength(1);
    },
  );

  it('causes no warning for a 401 of a destination itself', async () => {
    const source = sourceOf('http://service2.mytest.svc');
    source.noteUnauthorized('http://service2.mytest.svc');
    source.noteUnauthorized('not a URL');
    await call(source, 'http://service2.mytest.svc', 30);
    expect(log.events).toEqual([]);
  });

  it('causes at most 100 lines, whatever is called', async () => {
    const source = sourceOf('http://service2.mytest.svc');
    for (let port = 1; port <= 300; port++) {
      await call(source, `http://service2.mytest.svc:${8000 + port}`);
      source.noteUnauthorized(`http://service2.mytest.svc:${8000 + port}`);
    }
    expect(log.warnings).toHaveLength(100);
    expect(log.infos).toHaveLength(100);
  });
});

describe('a destination that is not used', () => {
  it('is named in one warning after ten minutes, with the origins that were called without a token', async () => {
    const source = sourceOf('http://used.shop.svc', 'http://seen.shop.svc', 'http://unused.shop.svc');
    source.watchUse();
    await source.getToken('http://used.shop.svc/orders');
    source.peekToken('http://seen.shop.svc');
    await source.getToken('http://elsewhere.shop.svc/');
    // Readiness reads the files, but sends nothing.
    source.states();
    await clock.advance(TEN_MINUTES_MS - 1);
    expect(log.warnings).toEqual([]);
    await clock.advance(1);
    await clock.advance(2 * TEN_MINUTES_MS);
    expect(log.warnings).toEqual([
      {
        message: expect.stringMatching(
          /^no request in the first 10 minutes has used these destinations/,
        ) as unknown,
        destinations: ['http://unused.shop.svc'],
        calledWithoutToken: ['http://elsewhere.shop.svc'],
      },
    ]);
  });

  it('is not mentioned if all were used, or the application has ended before', async () => {
    const used = sourceOf('http://used.shop.svc');
    used.watchUse();
    await used.getToken('http://used.shop.svc');
    const ended = sourceOf('http://unused.shop.svc');
    ended.watchUse()();
    sourceOf().watchUse();
    await clock.advance(TEN_MINUTES_MS);
    expect(log.events).toEqual([]);
  });
});
