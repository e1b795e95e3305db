import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { TokenMap } from './token-map.js';

const SIGNATURE = 's'.repeat(86);

describe('TokenMap', () => {
  it('finds an entry only by its whole token', () => {
    const map = new TokenMap<{ token: string; name: string }>({ maxTokens: 10 });
    map.set({ token: `header.payload.${SIGNATURE}`, name: 'genuine' });
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
    const map = new TokenMap<{ token: string; name: string }>({ maxTokens: 10 });
    for (const name of ['a', 'b', 'c']) map.set({ token: `${name}.${SIGNATURE}`, name });
    for (const name of ['a', 'b', 'c']) {
      expect(map.get(`${name}.${SIGNATURE}`)?.name).toBe(name);
      expect(map.peek(`${name}.${SIGNATURE}`)?.name).toBe(name);
    }
    map.delete(`a.${SIGNATURE}`);
    expect(map.get(`a.${SIGNATURE}`)).toBeUndefined();
    map.set({ token: `c.${SIGNATURE}`, name: 'new' });
    expect(map.get(`c.${SIGNATURE}`)?.name).toBe('new');
    map.delete(`c.${SIGNATURE}`);
    map.set({ token: `d.${SIGNATURE}`, name: 'd' });
    expect(map.get(`c.${SIGNATURE}`)).toBeUndefined();
    expect(map.get(`b.${SIGNATURE}`)?.name).toBe('b');
  });

  it('keeps tokens that are shorter than the end apart', () => {
    const map = new TokenMap<{ token: string }>({ maxTokens: 10 });
    map.set({ token: 'ab' });
    expect(map.get('b')).toBeUndefined();
    expect(map.get('')).toBeUndefined();
    expect(map.get('ab')).toEqual({ token: 'ab' });
  });

  it('drops the least recently used token when there are too many, or too long ones', () => {
    const dropped: string[] = [];
    const map = new TokenMap<{ token: string }>({
      maxTokens: 2,
      onDrop: ({ token }) => dropped.push(token),
    });
    for (const token of ['a', 'b']) map.set({ token });
    map.get('a');
    map.set({ token: 'c' });
    expect(dropped).toEqual(['b']);
    map.set({ token: 'x'.repeat(16 * 1024 * 1024 - 1) });
    expect(dropped).toEqual(['b', 'a', 'c']);
  });

  it('shows no token when it is inspected', () => {
    const map = new TokenMap<{ token: string }>({ maxTokens: 2 });
    map.set({ token: 'a-secret-token' });
    expect(inspect(map, { depth: Infinity, showHidden: true, showProxy: true })).not.toContain('secret');
    expect(JSON.stringify(map)).toBe('{}');
  });
});
