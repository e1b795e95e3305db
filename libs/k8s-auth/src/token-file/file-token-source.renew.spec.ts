import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { type FakeClock } from '../../testing/fake-clock.js';
import { type FileTokenSource } from './file-token-source.js';
import { TokenFileBench, type TokenMint, type TokenVolume } from './token-volume.fixture.js';

let bench: TokenFileBench;
let clock: FakeClock;
let mint: TokenMint;
let volume: TokenVolume;
let source: FileTokenSource;
let token: string;

beforeEach(async () => {
  bench = new TokenFileBench();
  ({ clock, mint, volume, source } = bench);
  token = await mint.mint({}, 600);
  volume.write(token);
  await source.getToken();
});

afterEach(() => volume.remove());

async function replace(): Promise<string> {
  const next = await mint.mint();
  volume.write(next);
  return next;
}

describe('FileTokenSource: a token that was rejected', () => {
  it('is replaced at once when the file was replaced, regardless of the age of the last read', async () => {
    const next = await replace();
    await expect(source.renew(token)).resolves.toBe(next);
    expect(source.current()).toBe(next);
    expect(bench.reads).toBe(2);
  });

  it('is replaced at once when the file was written in place', async () => {
    const next = `${await mint.mint({ jti: undefined }, 3600, { kid: undefined })}`;
    writeFileSync(volume.file, next);
    await expect(source.renew(token)).resolves.toBe(next);
  });

  it('does not cause another read of an unchanged file within 500 ms of the last read', async () => {
    await clock.advance(499);
    await expect(source.renew(token)).resolves.toBeUndefined();
    expect(bench.reads).toBe(1);
    await clock.advance(1);
    await expect(source.renew(token)).resolves.toBeUndefined();
    expect(bench.reads).toBe(2);
    expect(source.current()).toBe(token);
  });

  it.each([
    ['the same token', () => {}],
    ['a bad token', () => volume.write('changeme')],
    ['nothing', () => volume.empty()],
  ])('causes at most two reads per second while the file contains %s', async (_name, change) => {
    change();
    for (let request = 0; request < 1_000; request++) {
      await source.renew(token);
      await clock.advance(10);
    }
    // 10 s, and the first read of the changed file.
    expect(bench.reads).toBeLessThanOrEqual(1 + 20 + 1);
  });

  it('is replaced at once when the file changes between two such reads', async () => {
    await clock.advance(500);
    await source.renew(token);
    const next = await replace();
    await expect(source.renew(token)).resolves.toBe(next);
  });

  it('causes one read for concurrent callers', async () => {
    const next = await replace();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => source.renew(token)));
    expect(new Set(tokens)).toEqual(new Set([next]));
    expect(bench.reads).toBe(2);
  });

  it('causes no read when it has already been replaced', async () => {
    await expect(source.renew('a token from before')).resolves.toBe(token);
    expect(bench.reads).toBe(1);
  });
});

describe('FileTokenSource: a token that expired while the machine was suspended', () => {
  beforeEach(async () => {
    await clock.advance(1_000);
    // The monotonic clock stands still.
    clock.jumpWall(3_600_000);
  });

  it('causes one more read before the request fails', async () => {
    const next = await replace();
    expect(source.current()).toBeUndefined();
    await expect(source.getToken()).resolves.toBe(next);
    expect(bench.reads).toBe(2);
  });

  it('causes one read for concurrent callers', async () => {
    const next = await replace();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => source.getToken()));
    expect(new Set(tokens)).toEqual(new Set([next]));
    expect(bench.reads).toBe(2);
  });

  it('causes at most two reads per second while the file is not replaced', async () => {
    for (let request = 0; request < 100; request++) {
      await expect(source.getToken()).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_FILE_EXPIRED' });
      await clock.advance(10);
    }
    expect(bench.reads).toBeLessThanOrEqual(1 + 2);
    const next = await replace();
    await expect(source.getToken()).resolves.toBe(next);
  });
});
