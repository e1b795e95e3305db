import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
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
  bench = new TokenFileBench({ audience: 'service2' });
  ({ clock, mint, volume, log, source } = bench);
});

afterEach(() => volume.remove());

async function failure(): Promise<TokenSourceError> {
  const error: unknown = await source.getToken().catch((reason: unknown) => reason);
  if (!(error instanceof TokenSourceError)) throw new Error('expected a TokenSourceError');
  return error;
}

/** Everything that can be wrong with a file, and the code that says so. */
const badReads: [string, string, (good: string) => void | Promise<void>][] = [
  ['missing', 'UNREADABLE', () => volume.empty()],
  ['unreadable', 'UNREADABLE', () => volume.writeDirectory()],
  ['empty', 'EMPTY', () => volume.write('')],
  ['binary', 'MALFORMED', () => volume.write(Buffer.from([0, 1, 2, 255]))],
  ['too large', 'MALFORMED', () => volume.write('e'.repeat(64 * 1024 + 1))],
  ['no JWT', 'MALFORMED', () => volume.write('changeme')],
  ['another audience', 'AUDIENCE', async () => volume.write(await mint.mint({ aud: 'other' }))],
  ['expired', 'EXPIRED', async () => volume.write(await mint.mint({}, -1))],
  ['an "exp" that is no number', 'MALFORMED', async () => volume.write(await mint.mint({ exp: 'soon' }))],
];

/** What only shows beside a token that was read before. */
const cutOffReads: typeof badReads = [
  ['cut off in the payload', 'MALFORMED', (good) => volume.write(good.slice(0, good.lastIndexOf('.') - 5))],
  ['cut off in the signature', 'MALFORMED', (good) => volume.write(good.slice(0, -7))],
  ['another token, cut off', 'MALFORMED', async () => volume.write((await mint.mint()).slice(0, -7))],
];

describe('FileTokenSource: bad reads', () => {
  it.each(badReads)(
    'throws an error that names the file if there is no earlier token and the file is %s',
    async (_name, reason, spoil) => {
      await spoil('');
      const error = await failure();
      expect(error.code).toBe(`ERR_K8S_AUTH_TOKEN_FILE_${reason}`);
      expect(error.tokenFile).toBe(volume.file);
      expect(error.message).toContain(volume.file);
      expect(source.current()).toBeUndefined();
      expect(source.state()).toMatchObject({ hasToken: false, code: error.code });
    },
  );

  it.each([...badReads, ...cutOffReads])(
    'with a token, %s keeps it until its own "exp"',
    async (_name, reason, spoil) => {
      const good = await mint.mint({}, 600);
      volume.write(good);
      await source.getToken();
      await spoil(good);
      await clock.advance(MINUTE_MS);
      await expect(source.getToken()).resolves.toBe(good);
      expect(source.current()).toBe(good);
      expect(source.state()).toMatchObject({
        hasToken: true,
        code: `ERR_K8S_AUTH_TOKEN_FILE_${reason}`,
      });
      expect(log.warnings).toMatchObject([{ code: `ERR_K8S_AUTH_TOKEN_FILE_${reason}`, file: volume.file }]);
      expect(log.text()).not.toContain(good.slice(0, 20));

      await clock.advance(9 * MINUTE_MS);
      expect(source.current()).toBeUndefined();
      expect(source.state().hasToken).toBe(false);
    },
  );

  it.each<[string, (mint: TokenMint) => Promise<string>]>([
    ['a token that is not a JWT', () => Promise.resolve('token-abc12:secret')],
    ['a JWT without "exp"', (mint) => mint.mint({ exp: undefined })],
  ])('uses %s no longer than 60 s after the last good read', async (_name, make) => {
    const opaque = new FileTokenSource({ file: volume.file, mayBeOpaque: true, clock, log });
    const token = await make(mint);
    volume.write(token);
    await opaque.getToken();
    volume.empty();
    await clock.advance(MINUTE_MS);
    await expect(opaque.getToken()).resolves.toBe(token);
    await clock.advance(1);
    expect(opaque.current()).toBeUndefined();
    await expect(opaque.getToken()).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE' });
    expect(opaque.state()).toMatchObject({ hasToken: false, code: 'ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE' });
    await expect(opaque.renew(token)).resolves.toBeUndefined();

    volume.write(token);
    await clock.advance(5_000);
    await expect(opaque.getToken()).resolves.toBe(token);
  });

  it('accepts a complete token with another signature length if its header names no key or another key', async () => {
    volume.write(await mint.mint({}, 3600, { kid: undefined }));
    await source.getToken();
    const longer = `${await mint.mint({}, 3600, { kid: undefined })}AAAA`;
    volume.write(longer);
    await clock.advance(MINUTE_MS);
    await expect(source.getToken()).resolves.toBe(longer);

    const ofAnotherKey = `${await mint.mint({}, 3600, { kid: 'next' })}AA`;
    volume.write(ofAnotherKey);
    await clock.advance(MINUTE_MS);
    await expect(source.getToken()).resolves.toBe(ofAnotherKey);
  });

  it('detects a truncated token without "kid" because the last good token starts with it', async () => {
    const good = await mint.mint({}, 3600, { kid: undefined });
    volume.write(good);
    await source.getToken();
    volume.write(good.slice(0, -7));
    await clock.advance(MINUTE_MS);
    await expect(source.getToken()).resolves.toBe(good);
    expect(source.state().code).toBe('ERR_K8S_AUTH_TOKEN_FILE_MALFORMED');
  });

  it('does not compare a token with an expired token', async () => {
    volume.write(await mint.mint({}, 600));
    await source.getToken();
    await clock.advance(600_000);
    const longer = `${await mint.mint()}AAAA`;
    volume.write(longer);
    await expect(source.getToken()).resolves.toBe(longer);
  });

  it.each([
    ['a string', 'service2'],
    ['a list', ['other', 'service2']],
  ])('accepts an "aud" that is %s with the audience', async (_name, aud) => {
    volume.write(await mint.mint({ aud }));
    await expect(source.getToken()).resolves.toBeDefined();
  });

  it.each([
    [['service22'], '["service22"]'],
    [undefined, '[]'],
    [{ service2: true }, '[]'],
  ])('states the expected and the actual audience: %j', async (aud, shown) => {
    volume.write(await mint.mint({ aud }));
    expect((await failure()).message).toBe(
      `"aud" of the token in ${volume.file}: expected "service2", got ${shown}`,
    );
  });

  it('reads the file again at most every 5 s after a failed read', async () => {
    await failure();
    await clock.advance(4_999);
    await failure();
    expect(bench.reads).toBe(1);
    const token = await mint.mint();
    volume.write(token);
    await clock.advance(1);
    await expect(source.getToken()).resolves.toBe(token);
    expect(bench.reads).toBe(2);
  });

  it('creates a new error for each caller', async () => {
    const [one, other] = [await failure(), await failure()];
    expect(one).not.toBe(other);
    expect(one.message).toBe(other.message);
    expect(one.cause).toMatchObject({ code: 'ENOENT' });
  });

  it('logs a failed read once a minute, and the recovery once', async () => {
    for (let second = 0; second < 60; second += 5) {
      await failure();
      await clock.advance(5_000);
    }
    expect(log.warnings).toHaveLength(1);
    await failure();
    expect(log.warnings).toHaveLength(2);
    expect(log.warnings[0]?.message).toContain('ENOENT');

    volume.write(await mint.mint());
    await clock.advance(5_000);
    await source.getToken();
    await clock.advance(MINUTE_MS);
    await source.getToken();
    expect(log.infos).toEqual([{ message: 'token file is usable again', file: volume.file }]);
  });

  it('shows no token text in errors, for any content of the file', async () => {
    const wrong = await mint.mint({ aud: 'other' });
    volume.write(wrong);
    const shown = inspect(await failure(), { depth: Infinity, showHidden: true });
    for (const part of wrong.split('.')) expect(shown).not.toContain(part);
  });

  it('does not catch an error that is not a TokenSourceError', async () => {
    const broken = new FileTokenSource({
      file: volume.file,
      clock,
      log,
      read: () => Promise.reject(new RangeError('out of memory')),
    });
    await expect(broken.getToken()).rejects.toBeInstanceOf(RangeError);
  });
});
