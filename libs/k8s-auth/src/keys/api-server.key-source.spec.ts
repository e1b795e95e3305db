import { describe, expect, it } from '@jest/globals';
import { VerifierUnavailableError } from '../errors.js';
import { endless } from '../http/https-server.fixture.js';
import { ApiServerKeySource } from './api-server.key-source.js';
import { KeySourceError } from './key-source.js';

const HINT = "; option 'issuer' names the issuer if the API server and our own credential do not";

describe('ApiServerKeySource', () => {
  it.each([
    ['of the client', new VerifierUnavailableError('API server answered 500', { retryAfterMs: 7_000 })],
    ['of a document', new KeySourceError('issuer metadata: expected status 200, got 404', true, '7')],
    ['of another kind', new TypeError('fetch failed')],
  ])('throws a new error with a hint at the option, and does not change the error %s', async (_, error) => {
    const { message } = error;
    const client = { ownClaims: () => Promise.resolve(undefined), request: () => Promise.reject(error) };
    const source = new ApiServerKeySource({ client });
    for (let n = 0; n < 2; n++) {
      const { name: _name, message: _message, ...facts } = { ...error };
      await expect(source.fetch(endless())).rejects.toMatchObject({ ...facts, message: message + HINT });
    }
    expect(error.message).toBe(message);
  });
});
