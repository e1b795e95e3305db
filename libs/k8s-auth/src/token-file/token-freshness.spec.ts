import { rmSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { findTokenProblems, readTokenFileFacts } from './token-freshness.js';
import { TokenMint, TokenVolume } from './token-volume.fixture.js';

const HOUR_MS = 3_600_000;

let clock: FakeClock;
let mint: TokenMint;
let volume: TokenVolume;

beforeEach(() => {
  clock = new FakeClock();
  mint = new TokenMint(clock);
  volume = new TokenVolume();
});
afterEach(() => volume.remove());

/** The codes of the problems of the token in the volume, after a time. */
async function codesAfter(ms: number): Promise<string[]> {
  const facts = await readTokenFileFacts(volume.file);
  return findTokenProblems(facts, clock.wallMs() + ms).map(({ code }) => code);
}

describe('a token file', () => {
  it('is fresh until its token is past 90 % of its life', async () => {
    volume.write(await mint.mint({}, 3600));
    expect(await codesAfter(0.89 * HOUR_MS)).toEqual([]);
    expect(await codesAfter(0.9 * HOUR_MS)).toEqual(['OWN_TOKEN_NOT_RENEWED']);
  });

  it('is judged by warnafter, because the API server extends exp to a year', async () => {
    const warnafter = Math.floor(clock.wallMs() / 1000) + 3600;
    volume.write(await mint.mint({ 'kubernetes.io': { warnafter } }, 365 * 86_400));
    expect(await codesAfter(0)).toEqual([]);
    expect(await codesAfter(HOUR_MS)).toEqual(['OWN_TOKEN_NOT_RENEWED']);
  });

  it.each([
    ['for more than 90 days', { iat: 0 }, 91 * 86_400],
    ['for ever', { exp: undefined }, 0],
  ])('is long-lived if its token is valid %s', async (_, claims, lifeSeconds) => {
    volume.write(await mint.mint(claims, lifeSeconds));
    expect(await codesAfter(0)).toContain('OWN_TOKEN_LONG_LIVED');
  });

  it('in a projected volume shows its layout and its times, and no token text', async () => {
    const token = await mint.mint();
    volume.write(token);
    const facts = await readTokenFileFacts(volume.file);
    expect(facts).toMatchObject({ file: volume.file, layout: 'projected', isJwt: true });
    expect(facts.expiresAtMs).toBe((facts.issuedAtMs ?? 0) + HOUR_MS);
    expect(JSON.stringify(facts)).not.toContain(token.slice(-20));
  });

  it('with a token that is not a JWT is refused, unless the caller allows it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-'));
    try {
      const file = join(folder, 'token');
      writeFileSync(file, 'sha256~opaque');
      await expect(readTokenFileFacts(file)).rejects.toMatchObject({ name: 'TokenSourceError' });
      const facts = await readTokenFileFacts(file, { mayBeOpaque: true });
      expect(facts).toMatchObject({ layout: 'plain', isJwt: false });
      expect(findTokenProblems(facts, clock.wallMs() + 1000 * HOUR_MS)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
