import { describe, expect, it } from '@jest/globals';
import { tokenReviewOptionsSchema } from './tokenreview.definition.js';

const kind = 'tokenreview';

function mistakesIn(options: unknown): string[] {
  const { error } = tokenReviewOptionsSchema.safeParse(options);
  return (error?.issues ?? []).map(({ path }) => path.join('.'));
}

describe('tokenReviewOptionsSchema', () => {
  it.each([
    { kind },
    { kind, successLifetimeMs: 0, rejectionLifetimeMs: 0, timeoutMs: 100 },
    { kind, successLifetimeMs: 300_000, rejectionLifetimeMs: 60_000, timeoutMs: 30_000 },
    { kind, apiServer: { url: 'https://10.0.0.1' } },
  ])('takes %j', (options) => expect(mistakesIn(options)).toStrictEqual([]));

  it.each([
    ['successLifetimeMs', -1],
    ['successLifetimeMs', 300_001],
    ['successLifetimeMs', 0.5],
    ['successLifetimeMs', '10000'],
    ['rejectionLifetimeMs', -1],
    ['rejectionLifetimeMs', 60_001],
    ['timeoutMs', 99],
    ['timeoutMs', 30_001],
    ['timeoutMs', Infinity],
  ])('rejects option %s with value %p', (option, value) =>
    expect(mistakesIn({ kind, [option]: value })).toStrictEqual([option]),
  );

  it('names the invalid option of apiServer', () => {
    expect(mistakesIn({ kind, apiServer: { url: 'http://10.0.0.1' } })).toStrictEqual(['apiServer.url']);
  });

  it('rejects options of other verifiers, and other kinds', () => {
    expect(mistakesIn({ kind, publicKeyFiles: ['/sa.pub'] })).toHaveLength(1);
    expect(mistakesIn({ kind: 'jwt-pubkey' })).toStrictEqual(['kind']);
  });
});
