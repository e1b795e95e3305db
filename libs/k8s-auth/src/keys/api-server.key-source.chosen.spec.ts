import { describe, expect, it } from '@jest/globals';
import { VerifierUnavailableError } from '../errors.js';
import { endless } from '../http/https-server.fixture.js';
import { type UnverifiedClaims } from '../jwt/jwt-claims.js';
import { ApiServerOrIssuerKeySource } from './api-server.key-source.js';
import { type Attempt, type KeySource } from './key-source.js';

const attempt: Attempt = endless();

function from(where: string): KeySource {
  return { fetch: () => Promise.resolve({ issuers: [where], keys: [] }) };
}

describe('ApiServerOrIssuerKeySource', () => {
  it('checks the issuer of our own token at each attempt', async () => {
    let claims: () => Promise<UnverifiedClaims | undefined> = () =>
      Promise.reject(new VerifierUnavailableError('own token is not there yet'));
    const client = { ownClaims: () => claims() };
    const sources = { apiServer: from('API server'), issuer: from('issuer') };
    const source = new ApiServerOrIssuerKeySource(
      ['https://one.example', 'https://two.example'],
      client,
      sources,
    );
    const choice = async () => (await source.fetch(attempt)).issuers[0];

    expect(await choice()).toBe('issuer');
    claims = () => Promise.resolve({ iss: 'https://two.example' });
    expect(await choice()).toBe('API server');
    claims = () => Promise.resolve({ iss: 'https://two.example/' });
    expect(await choice()).toBe('issuer');
    claims = () => Promise.resolve({ iss: ['https://two.example'] });
    expect(await choice()).toBe('issuer');
    claims = () => Promise.resolve(undefined);
    expect(await choice()).toBe('issuer');
  });
});
