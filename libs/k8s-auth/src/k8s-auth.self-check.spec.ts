import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../test-support/captured-log.js';
import { shapedToken } from '../test-support/inbound-app.js';
import { until } from '../test-support/until.js';
import { AtomicDirectory } from '../testing/atomic-directory.js';
import { FakeClock } from '../testing/fake-clock.js';
import { OwnApiServer } from './api-server/own-api-server.js';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { K8sAuthSelfCheck } from './k8s-auth.self-check.js';
import { type K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';

const ORIGIN = 'http://billing.shop.svc';
const MINUTE_MS = 60_000;
const DAY_SECONDS = 86_400;

let root: string;
let clock: FakeClock;
let apiServer: OwnApiServer;
let check: K8sAuthSelfCheck;
let file: string;
let volume: AtomicDirectory;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'self-check-'));
  clock = new FakeClock();
  apiServer = new OwnApiServer(clock);
  volume = new AtomicDirectory(join(root, 'tokens'));
  file = join(root, 'tokens/billing');
  check = new K8sAuthSelfCheck([{ destination: ORIGIN, tokenFile: file }], apiServer, clock, root);
});
afterEach(() => rmSync(root, { recursive: true }));

const nowSeconds = () => Math.floor(clock.wallMs() / 1000);

/** A token that was issued now. */
function token(lifeSeconds: number | undefined, more: object = {}): string {
  const iat = nowSeconds();
  const exp = lifeSeconds === undefined ? {} : { exp: iat + lifeSeconds };
  return shapedToken({ sub: 'system:serviceaccount:shop:orders', iat, ...exp, ...more });
}

/** As the kubelet does it. */
const renew = (content: string) => volume.write({ billing: content }, clock.wallMs());

async function problems() {
  await check.check();
  return check.snapshot().problems;
}

describe('K8sAuthSelfCheck and the tokens of this service', () => {
  it('finds no problem in a fresh token of a projected volume', async () => {
    renew(token(600));
    expect(await problems()).toEqual([]);
  });

  it('states the time to the expiry and the age of the file', async () => {
    renew(token(600));
    utimesSync(file, nowSeconds(), nowSeconds());
    await check.check();
    await clock.advance(MINUTE_MS);
    expect(check.snapshot().tokens).toEqual([
      { destination: ORIGIN, tokenFile: file, expiresInMs: 540_000, fileAgeMs: 60_000, problems: [] },
    ]);
  });

  it('reports a token past 90 % of its life, and stops when the file is replaced', async () => {
    renew(token(600));
    await clock.advance(539_000);
    expect(await problems()).toEqual([]);
    await clock.advance(1_000);
    expect(await problems()).toEqual([
      { code: 'OWN_TOKEN_NOT_RENEWED', reason: expect.stringContaining(`${file} is past 90 % of its life`) },
    ]);
    renew(token(600));
    expect(await problems()).toEqual([]);
  });

  it('does not report a token whose file was replaced after the last check', async () => {
    renew(token(600));
    await clock.advance(500_000);
    expect(await problems()).toEqual([]);
    await clock.advance(30_000);
    renew(token(600));
    await clock.advance(15_000);
    expect(check.snapshot().problems).toEqual([]);
  });

  it('reports a file that is mounted with subPath, from the first minute on', async () => {
    mkdirSync(join(root, 'proc/self'), { recursive: true });
    mkdirSync(join(root, 'alone'));
    const alone = join(root, 'alone/token');
    writeFileSync(alone, token(600));
    writeFileSync(join(root, 'proc/self/mountinfo'), `36 35 98:0 /t ${alone} rw - ext4 /dev/sda rw\n`);
    check = new K8sAuthSelfCheck([{ destination: ORIGIN, tokenFile: alone }], apiServer, clock, root);
    expect(await problems()).toEqual([
      {
        code: 'OWN_TOKEN_SUB_PATH',
        reason: expect.stringContaining(`without subPath, at ${dirname(alone)}`),
      },
    ]);
  });

  it.each([
    ['one year', 365 * DAY_SECONDS, 'is valid for 365 days'],
    ['91 days', 91 * DAY_SECONDS, 'is valid for 91 days'],
    ['for ever', undefined, 'never expires'],
  ])('reports a token that is valid for %s', async (_, lifeSeconds, text) => {
    renew(token(lifeSeconds));
    expect(await problems()).toEqual([
      { code: 'OWN_TOKEN_LONG_LIVED', reason: expect.stringContaining(text) },
    ]);
  });

  it('judges the API token that is valid for a year by the time at which it should be replaced', async () => {
    const warnafter = nowSeconds() + 3607;
    apiServer.tokenFile = file;
    check = new K8sAuthSelfCheck([], apiServer, clock, root);
    renew(token(365 * DAY_SECONDS, { 'kubernetes.io': { warnafter } }));
    expect(await problems()).toEqual([]);
    await clock.advance(55 * MINUTE_MS);
    await check.check();
    expect(check.snapshot().tokens).toMatchObject([
      { destination: 'api-server', problems: [{ code: 'OWN_TOKEN_NOT_RENEWED' }] },
    ]);
  });

  it('says nothing about an API token that is not a JWT', async () => {
    apiServer.tokenFile = file;
    check = new K8sAuthSelfCheck([], apiServer, clock, root);
    renew('sha256~opaque');
    expect(await problems()).toEqual([]);
    expect(check.snapshot().tokens).toMatchObject([{ destination: 'api-server' }]);
  });

  it('reports a file once, although several destinations use it', async () => {
    const destinations = ['http://a', 'http://b'].map((destination) => ({ destination, tokenFile: file }));
    check = new K8sAuthSelfCheck(destinations, apiServer, clock, root);
    renew(token(undefined));
    expect(await problems()).toHaveLength(1);
    expect(check.snapshot().tokens).toHaveLength(2);
  });

  it('keeps what it knows while the file cannot be read, and reports nothing about a file that never existed', async () => {
    expect(await problems()).toEqual([]);
    renew(token(600));
    await check.check();
    rmSync(file);
    await clock.advance(600_000);
    expect(await problems()).toMatchObject([{ code: 'OWN_TOKEN_NOT_RENEWED' }]);
  });

  it('contains no token text', async () => {
    const content = token(undefined);
    renew(content);
    await check.check();
    expect(JSON.stringify(check.snapshot())).not.toContain(content.slice(0, 16));
  });
});

describe('K8sAuthSelfCheck and the clock', () => {
  const dateOf = (aheadMs: number) => new Date(clock.wallMs() - aheadMs).toUTCString();

  it.each([
    [0, 0],
    [900, 0],
    [-20_000, -20_000],
    [120_000, 119_000],
  ])('measures that our clock is %d ms ahead', (aheadMs, expectedMs) => {
    apiServer.noteAnswer(dateOf(aheadMs), clock.wallMs());
    expect(check.snapshot().clockOffsetMs).toBe(expectedMs);
  });

  it('allows for the time that an answer takes', () => {
    const date = dateOf(0);
    const sentMs = clock.wallMs();
    const late = { wallMs: () => sentMs + 40_000 } as FakeClock;
    const slow = new OwnApiServer(late);
    slow.noteAnswer(date, sentMs);
    expect(slow.clockOffsetMs).toBe(0);
  });

  it.each([
    [31_500, 'ahead of'],
    [-30_001, 'behind'],
  ])('reports a clock that is %d ms ahead', (aheadMs, text) => {
    // The fake clock starts at a whole second.
    apiServer.clockOffsetMs = aheadMs;
    expect(check.snapshot().problems).toEqual([
      { code: 'CLOCK_OFFSET', reason: expect.stringContaining(`30 s ${text} the clock of the API server`) },
    ]);
  });

  it('keeps the last offset if an answer has no date', () => {
    apiServer.clockOffsetMs = -30_000;
    apiServer.noteAnswer(undefined, clock.wallMs());
    expect(check.snapshot()).toMatchObject({ clockOffsetMs: -30_000, problems: [] });
  });
});

describe('readiness with a self check', () => {
  const noTokens = { states: () => [] } as unknown as K8sAuthTokenSource;

  it('is degraded with code and reason, and logs that once until the problem is over', async () => {
    const log = new CapturedLog();
    const readiness = new K8sAuthReadiness(undefined, noTokens, log, check);
    renew(token(600));
    let checks = 0;
    const stop = check.watch(() => {
      checks++;
      readiness.logChange();
    });
    // The files are real, so a check takes longer than a turn of the fake clock.
    const nextLook = async () => {
      await until(() => clock.pendingTimers === 1);
      const before = checks;
      await clock.advance(MINUTE_MS);
      await until(() => checks > before);
    };
    await until(() => checks === 1);
    for (let minute = 1; minute <= 9; minute++) await nextLook();
    expect(readiness.check()).toMatchObject({ status: 'degraded', code: 'OWN_TOKEN_NOT_RENEWED' });
    renew(token(600));
    await nextLook();
    stop();
    expect(log.events.map(({ level, status, code }) => ({ level, status, code }))).toEqual([
      { level: 'warn', status: 'degraded', code: 'OWN_TOKEN_NOT_RENEWED' },
      { level: 'log', status: 'ready', code: undefined },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stays not ready when there is a worse reason', () => {
    apiServer.clockOffsetMs = 60_000;
    const verifier = { readiness: () => ({ status: 'not-ready', reason: 'no keys' }) } as never;
    const readiness = new K8sAuthReadiness(verifier, noTokens, new CapturedLog(), check);
    expect(readiness.check()).toEqual({ status: 'not-ready', reason: 'no keys' });
  });
});
