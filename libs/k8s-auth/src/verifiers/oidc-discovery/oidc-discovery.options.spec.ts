import { describe, expect, it } from '@jest/globals';
import { oidcDiscoveryOptionsSchema } from './oidc-discovery.definition.js';

function mistakesIn(changes: object): string[] {
  const { error } = oidcDiscoveryOptionsSchema.safeParse({ kind: 'oidc-discovery', ...changes });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('oidcDiscoveryOptionsSchema', () => {
  it.each([
    {},
    { issuer: 'https://issuer.example', caFile: '/ca.crt', clockToleranceMs: 0 },
    { issuer: ['https://new.example', 'https://old.example'] },
    { jwksUri: 'https://issuer.example/keys?v=1', apiServer: {} },
    { apiServer: { url: 'https://10.0.0.1:6443' } },
  ])('accepts %j', (changes) => {
    expect(mistakesIn(changes)).toEqual([]);
  });

  const url = 'jwksUri: expected an https URL without user name or fragment';
  it.each<[object, string]>([
    [{ issuer: [] }, 'issuer: expected an issuer or a list of issuers'],
    [{ jwksUri: 'http://issuer.example/keys' }, url],
    [{ jwksUri: 'https://user:secret@issuer.example/keys' }, url],
    [{ jwksUri: 'https://issuer.example/keys#1' }, url],
    [{ jwksUri: '/keys' }, url],
    [{ caFile: '' }, 'caFile: expected a path, not an empty one'],
    [{ apiServer: { url: 'http://10.0.0.1' } }, 'apiServer.url: '],
    [{ clockToleranceMs: 60_001 }, 'clockToleranceMs: '],
    [{ publicKeyFiles: ['a'] }, ': Unrecognized key'],
    [{ acceptLegacyTokens: true }, ': Unrecognized key'],
  ])('rejects %j and names the option', (changes, mistake) => {
    expect(mistakesIn(changes)).toEqual([expect.stringContaining(mistake)]);
  });
});
