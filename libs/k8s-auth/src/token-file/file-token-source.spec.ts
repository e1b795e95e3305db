import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { utimesSync } from 'node:fs';
import { type FakeClock } from '../../testing/fake-clock.js';
import { TokenSourceError } from '../errors.js';
import { FileTokenSource } from './file-token-source.js';
import {
  type RecordingLog,
  TokenFileBench,
  type TokenMint,
  type TokenVolume,
} from './token-volume.fixture.js';

const MINUTE_MS = 60_000;

let bench: TokenFileBench;
let clock: FakeClock;
let mint: TokenMint;
let volume: TokenVolume;
let log: RecordingLog;
let source: FileTokenSource;

beforeEach(() => {
  bench = new TokenFileBench();
  ({ clock, mint, volume, log, source } = bench);
});

afterEach(() => volume.remove());

async function write(token: Promise<string>): Promise<string> {
  volume.write(await token);
  return token;
}

describe('FileTokenSource: when the file is read', () => {
  it('has no token before the first read, and then returns the token from memory', async () => {
    const token = await write(mint.mint());
    expect(source.current()).toBeUndefined();
    await expect(source.getToken()).resolves.toBe(token);
    expect(source.current()).toBe(token);
    await source.getToken();
    expect(bench.reads).toBe(1);
  });

  it('lets concurrent callers share one read', async () => {
    const token = await write(mint.mint());
    const tokens = await Promise.all(Array.from({ length: 100 }, () => source.getToken()));
    expect(new Set(tokens)).toEqual(new Set([token]));
    expect(bench.reads).toBe(1);
  });

  it('reads the file when the last read is 60 s old, not before, and never returns an older token', async () => {
    const old = await write(mint.mint());
    await source.getToken();
    const next = await write(mint.mint());
    await clock.advance(MINUTE_MS - 1);
    expect(source.current()).toBe(old);
    await expect(source.getToken()).resolves.toBe(old);
    expect(bench.reads).toBe(1);

    await clock.advance(1);
    expect(source.current()).toBeUndefined();
    await expect(source.getToken()).resolves.toBe(next);
    expect(bench.reads).toBe(2);
  });

  it('does not read the file while no caller asks for the token', async () => {
    await write(mint.mint());
    await source.getToken();
    await clock.advance(60 * MINUTE_MS - 1);
    expect(bench.reads).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('counts the age from the start of a slow read', async () => {
    const token = await mint.mint();
    const slow = new FileTokenSource({
      file: volume.file,
      clock,
      log,
      read: async () => {
        await clock.advance(40_000);
        return { token, claims: {} };
      },
    });
    await slow.getToken();
    await clock.advance(19_999);
    expect(slow.current()).toBe(token);
    await clock.advance(1);
    expect(slow.current()).toBeUndefined();
  });

  it.each([
    ['a fifth of its life is left', 3600, 2880],
    ['60 s are left', 200, 140],
  ])('reads the file every 5 s when %s', async (_name, lifeSeconds, hurriedFromSeconds) => {
    await write(mint.mint({}, lifeSeconds));
    // Up to here each read happens for its age alone.
    for (let second = 0; second < hurriedFromSeconds - 1; second += 59) await source.getToken();
    await clock.advance(hurriedFromSeconds * 1000 - 6_000);
    await source.getToken();
    const before = bench.reads;
    await clock.advance(5_999);
    await source.getToken();
    expect(bench.reads).toBe(before);

    await clock.advance(1);
    await source.getToken();
    expect(bench.reads).toBe(before + 1);
    await clock.advance(4_999);
    await source.getToken();
    expect(bench.reads).toBe(before + 1);
    await clock.advance(1);
    await source.getToken();
    expect(bench.reads).toBe(before + 2);
  });

  it('counts the lifetime of a token without "iat" from the first read', async () => {
    await write(mint.mint({ iat: undefined }, 3600));
    await source.getToken();
    await clock.advance(2_880_000 - 5_001);
    await source.getToken();
    await clock.advance(5_000);
    expect(source.current()).toBeDefined();
    await clock.advance(1);
    expect(source.current()).toBeUndefined();
  });

  it('keeps a token without "exp" and reads its file every 60 s', async () => {
    const token = await write(mint.mint({ exp: undefined }));
    await source.getToken();
    await clock.advance(MINUTE_MS - 1);
    expect(source.current()).toBe(token);
    await clock.advance(1);
    await expect(source.getToken()).resolves.toBe(token);
    expect(bench.reads).toBe(2);
    expect(source.state()).toEqual({
      hasToken: true,
      lastReadAgeMs: 0,
      fileAgeMs: expect.any(Number) as number,
    });
  });

  it('accepts an older token that is now in the file', async () => {
    const older = await mint.mint({ iat: clock.wallMs() / 1000 - 600 }, 1800);
    await write(mint.mint());
    await source.getToken();
    volume.write(older);
    await clock.advance(MINUTE_MS);
    await expect(source.getToken()).resolves.toBe(older);
  });
});

describe('FileTokenSource: the expiry of the token', () => {
  it('returns the token before its "exp", and not at its "exp"', async () => {
    const token = await write(mint.mint({}, 600));
    await source.getToken();
    await clock.advance(599_999);
    await expect(source.getToken()).resolves.toBe(token);
    await clock.advance(1);
    const error: unknown = await source.getToken().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TokenSourceError);
    expect(error).toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_FILE_EXPIRED', tokenFile: volume.file });
    expect(source.current()).toBeUndefined();
    expect(source.state()).toMatchObject({ hasToken: false, code: 'ERR_K8S_AUTH_TOKEN_FILE_EXPIRED' });
  });

  it('names the failed read as the cause when the file was missing before the expiry', async () => {
    await write(mint.mint({}, 600));
    await source.getToken();
    volume.empty();
    await clock.advance(600_000);
    const error = (await source.getToken().catch((reason: unknown) => reason)) as TokenSourceError;
    expect(error.code).toBe('ERR_K8S_AUTH_TOKEN_FILE_EXPIRED');
    expect(error.message).toContain(volume.file);
    expect(error.cause).toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE' });
  });
});

describe('FileTokenSource: jumps of the wall clock', () => {
  it('do not change the time of the next read', async () => {
    await write(mint.mint({ exp: undefined }));
    await source.getToken();
    clock.jumpWall(3_600_000);
    expect(source.current()).toBeDefined();
    clock.jumpWall(-7_200_000);
    await clock.advance(MINUTE_MS - 1);
    expect(source.current()).toBeDefined();
    await clock.advance(1);
    expect(source.current()).toBeUndefined();
  });

  it('hide a token that has expired by the new time, and a jump back makes it usable again', async () => {
    const token = await write(mint.mint());
    await source.getToken();
    clock.jumpWall(3_600_000);
    expect(source.current()).toBeUndefined();
    await expect(source.getToken()).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_FILE_EXPIRED' });
    clock.jumpWall(-3_600_000);
    await expect(source.getToken()).resolves.toBe(token);
  });
});

describe('FileTokenSource: state', () => {
  it('contains the result of the last read and the expiry of the token, without its text', async () => {
    expect(source.state()).toEqual({ hasToken: false });
    const expiresAtMs = clock.wallMs() + 3_600_000;
    const token = await write(mint.mint());
    const writtenSeconds = clock.wallMs() / 1000 - 60;
    utimesSync(volume.file, writtenSeconds, writtenSeconds);
    await source.getToken();
    await clock.advance(1_000);
    expect(source.state()).toEqual({ hasToken: true, expiresAtMs, lastReadAgeMs: 1_000, fileAgeMs: 61_000 });
    expect(JSON.stringify(source.state())).not.toContain(token);
  });
});
