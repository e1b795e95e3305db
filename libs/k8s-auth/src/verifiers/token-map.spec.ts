import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../test-support/seeded-random.js';
import { type TokenEntry, TokenMap } from './token-map.js';

const SIGNATURE = 's'.repeat(86);

/** What a {@link TokenMap} does, without its numbers. */
class TokenList {
  readonly dropped: number[] = [];
  private readonly entries: (TokenEntry & { readonly number: number })[] = [];

  constructor(private readonly maxTokens: number) {}

  set(entry: TokenEntry & { readonly number: number }): void {
    this.delete(entry.token);
    while (this.entries.length >= this.maxTokens) this.dropOldest();
    this.entries.push(entry);
  }

  delete(token: string): void {
    const index = this.entries.findIndex((entry) => entry.token === token);
    if (index >= 0) this.dropped.push(...this.entries.splice(index, 1).map(({ number }) => number));
  }

  get(token: string): void {
    const found = this.peek(token);
    if (found) found.wasUsed = true;
  }

  peek(token: string): TokenEntry | undefined {
    return this.entries.find((entry) => entry.token === token);
  }

  private dropOldest(): void {
    const [oldest] = this.entries;
    if (!oldest?.wasUsed) return this.delete(oldest?.token ?? '');
    oldest.wasUsed = false;
    this.entries.push(...this.entries.splice(0, 1));
  }
}

describe('TokenMap', () => {
  it('finds an entry only by its whole token', () => {
    const map = new TokenMap<TokenEntry & { name: string }>({ maxTokens: 10 });
    map.set({ token: `header.payload.${SIGNATURE}`, name: 'genuine', wasUsed: false });
    expect(map.get(`header.payload.${SIGNATURE}`)?.name).toBe('genuine');
    expect(map.get(`header.another.${SIGNATURE}`)).toBeUndefined();
    expect(map.peek(`header.another.${SIGNATURE}`)).toBeUndefined();
    expect(map.get(SIGNATURE)).toBeUndefined();
    expect(map.get(SIGNATURE.slice(-43))).toBeUndefined();
    map.delete(`header.another.${SIGNATURE}`);
    expect(map.get(`header.payload.${SIGNATURE}`)?.name).toBe('genuine');
    map.delete(`header.payload.${SIGNATURE}`);
    expect(map.get(`header.payload.${SIGNATURE}`)).toBeUndefined();
  });

  it('keeps several tokens with the same end apart', () => {
    const map = new TokenMap<TokenEntry & { name: string }>({ maxTokens: 10 });
    for (const name of ['a', 'b', 'c']) map.set({ token: `${name}.${SIGNATURE}`, name, wasUsed: false });
    for (const name of ['a', 'b', 'c']) {
      expect(map.get(`${name}.${SIGNATURE}`)?.name).toBe(name);
      expect(map.peek(`${name}.${SIGNATURE}`)?.name).toBe(name);
    }
    map.delete(`a.${SIGNATURE}`);
    expect(map.get(`a.${SIGNATURE}`)).toBeUndefined();
    map.set({ token: `c.${SIGNATURE}`, name: 'new', wasUsed: false });
    expect(map.get(`c.${SIGNATURE}`)?.name).toBe('new');
    map.delete(`c.${SIGNATURE}`);
    map.set({ token: `d.${SIGNATURE}`, name: 'd', wasUsed: false });
    expect(map.get(`c.${SIGNATURE}`)).toBeUndefined();
    expect(map.get(`b.${SIGNATURE}`)?.name).toBe('b');
  });

  it('finds a token after another one with the same end was deleted or dropped', () => {
    const map = new TokenMap<TokenEntry>({ maxTokens: 2 });
    const tokens = ['a', 'b', 'c'].map((name) => `${name}.${SIGNATURE}`) as [string, string, string];
    const [a, b, c] = tokens;
    for (const token of [a, b]) map.set({ token, wasUsed: false });
    map.delete(a);
    expect(map.get(b)).toMatchObject({ token: b });
    // The first one of these is dropped for the last one.
    map.clear();
    for (const token of [a, b, c]) map.set({ token, wasUsed: false });
    expect(tokens.filter((token) => map.peek(token))).toEqual([b, c]);
  });

  it.each([1, 2, 3, 4, 5])('has the same entries as a list, whatever the calls (seed %d)', (seed) => {
    const random = seededRandom(seed);
    const pick = <Value extends string>(values: readonly Value[]) =>
      values[Math.floor(random() * values.length)] as Value;
    const dropped: number[] = [];
    const map = new TokenMap<TokenEntry & { number: number }>({
      maxTokens: 6,
      onDrop: ({ number }) => dropped.push(number),
    });
    const list = new TokenList(6);
    for (let number = 0; number < 2_000; number++) {
      const token = `${pick(['1', '2', '3', '4'])}.${pick(['a', 'b', 'c']).repeat(8)}`;
      const call = pick(['set', 'delete', 'get', 'get', 'peek']);
      for (const either of [map, list]) {
        if (call === 'set') either.set({ token, number, wasUsed: false });
        else either[call](token);
      }
      expect(map.peek(token)).toEqual(list.peek(token));
      expect(dropped).toEqual(list.dropped.splice(0));
      dropped.length = 0;
    }
  });

  it('keeps tokens that are shorter than the end apart', () => {
    const map = new TokenMap<TokenEntry>({ maxTokens: 10 });
    map.set({ token: 'ab', wasUsed: false });
    expect(map.get('b')).toBeUndefined();
    expect(map.get('')).toBeUndefined();
    expect(map.get('ab')).toMatchObject({ token: 'ab' });
  });

  it('drops the oldest token that was not used when there are too many, or too long ones', () => {
    const dropped: string[] = [];
    const map = new TokenMap<TokenEntry>({
      maxTokens: 2,
      onDrop: ({ token }) => dropped.push(token),
    });
    for (const token of ['a', 'b']) map.set({ token, wasUsed: false });
    map.get('a');
    map.set({ token: 'c', wasUsed: false });
    expect(dropped).toEqual(['b']);
    map.set({ token: 'x'.repeat(16 * 1024 * 1024), wasUsed: false });
    expect(dropped).toEqual(['b', 'a', 'c']);
  });

  it('gives a token in use one more round each time it would be the next to be dropped', () => {
    const map = new TokenMap<TokenEntry>({ maxTokens: 3 });
    for (const token of ['a', 'b', 'c']) {
      map.set({ token, wasUsed: false });
      map.get(token);
    }
    map.peek('b');
    map.set({ token: 'd', wasUsed: false });
    // All were used, so the oldest one was dropped, and no use is remembered.
    expect(['a', 'b', 'c', 'd'].filter((token) => map.peek(token))).toEqual(['b', 'c', 'd']);
    map.get('b');
    map.set({ token: 'e', wasUsed: false });
    map.set({ token: 'f', wasUsed: false });
    expect(['b', 'c', 'd', 'e', 'f'].filter((token) => map.peek(token))).toEqual(['b', 'e', 'f']);
  });

  it('counts the characters of the tokens that it has, and of no other', () => {
    const map = new TokenMap<TokenEntry>({ maxTokens: 10 });
    const half = 8 * 1024 * 1024;
    const [one, two, three] = ['1', '2', '3'].map((end) => end.padStart(half)) as [string, string, string];
    for (const token of [one, one, two, one]) map.set({ token, wasUsed: false });
    expect([one, two].map((token) => map.peek(token)?.token === token)).toEqual([true, true]);
    map.delete(one);
    map.set({ token: three, wasUsed: false });
    expect(map.peek(two)?.token === two).toBe(true);
    map.clear();
    expect(map.peek(two)).toBeUndefined();
    for (const token of [one, two]) map.set({ token, wasUsed: false });
    expect([one, two].map((token) => map.peek(token)?.token === token)).toEqual([true, true]);
  });

  it('shows no token when it is inspected', () => {
    const map = new TokenMap<TokenEntry>({ maxTokens: 2 });
    map.set({ token: 'a-secret-token', wasUsed: false });
    expect(inspect(map, { depth: Infinity, showHidden: true, showProxy: true })).not.toContain('secret');
    expect(JSON.stringify(map)).toBe('{}');
  });
});
