import { describe, expect, it } from '@jest/globals';
import { jwtPubkeyOptionsSchema } from './jwt-pubkey.definition.js';

const options = { kind: 'jwt-pubkey', issuer: 'https://issuer.example', publicKeyFiles: ['/keys/sa.pub'] };

function mistakesIn(changes: object): string[] {
  const { error } = jwtPubkeyOptionsSchema.safeParse({ ...options, ...changes });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('jwtPubkeyOptionsSchema', () => {
  it.each([
    {},
    { issuer: ['https://new.example', 'https://old.example'] },
    { issuer: 'kubernetes.default.svc' },
    { clockToleranceMs: 0, acceptLegacyTokens: true },
    { clockToleranceMs: 60_000, publicKeyFiles: ['a', 'b'] },
  ])('accepts %j', (changes) => {
    expect(mistakesIn(changes)).toEqual([]);
  });

  it.each<[object, string]>([
    [{ kind: 'oidc-discovery' }, 'kind: '],
    [{ issuer: undefined }, 'issuer: expected an issuer or a list of issuers'],
    [{ issuer: '' }, 'issuer: expected an issuer or a list of issuers'],
    [{ issuer: [] }, 'issuer: expected an issuer or a list of issuers'],
    [{ issuer: ['a', ''] }, 'issuer.1: expected an issuer or a list of issuers'],
    [{ issuer: 5 }, 'issuer: expected an issuer or a list of issuers'],
    [{ issuer: ['a', 5] }, 'issuer: expected an issuer or a list of issuers'],
    [{ publicKeyFiles: undefined }, 'publicKeyFiles: expected at least one PEM file'],
    [{ publicKeyFiles: '/keys/sa.pub' }, 'publicKeyFiles: expected at least one PEM file'],
    [{ publicKeyFiles: [] }, 'publicKeyFiles: expected at least one PEM file'],
    [{ publicKeyFiles: [5] }, 'publicKeyFiles.0: expected a path'],
    [{ publicKeyFiles: [''] }, 'publicKeyFiles.0: expected a path, not an empty one'],
    [{ clockToleranceMs: 60_001 }, 'clockToleranceMs: '],
    [{ clockToleranceMs: -1 }, 'clockToleranceMs: '],
    [{ clockToleranceMs: 0.5 }, 'clockToleranceMs: '],
    [{ acceptLegacyTokens: 'true' }, 'acceptLegacyTokens: '],
    [{ jwksUri: 'https://issuer.example/keys' }, ': Unrecognized key'],
  ])('rejects %j and names the option', (changes, mistake) => {
    expect(mistakesIn(changes)).toEqual([expect.stringContaining(mistake)]);
  });
});
