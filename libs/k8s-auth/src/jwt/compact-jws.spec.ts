import { describe, expect, it } from '@jest/globals';
import { encodePart } from '../../testing/raw-token.fixture.js';
import { InvalidTokenError } from '../errors.js';
import { parseCompactJws } from './compact-jws.js';

const HEADER = encodePart({ alg: 'RS256', kid: 'one' });
const PAYLOAD = encodePart({ iss: 'https://issuer' });
const SIGNATURE = encodePart('signature');

function token(header: unknown, payload: unknown = { iss: 'https://issuer' }): string {
  return `${encodePart(header)}.${encodePart(payload)}.${SIGNATURE}`;
}

function refusalOf(text: string): InvalidTokenError {
  try {
    parseCompactJws(text);
  } catch (error) {
    if (error instanceof InvalidTokenError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('parseCompactJws', () => {
  it('reads header and claims', () => {
    const text = `${HEADER}.${PAYLOAD}.${SIGNATURE}`;
    expect(parseCompactJws(text)).toEqual({
      token: text,
      signature: Buffer.from('signature'),
      unverifiedHeader: { alg: 'RS256', kid: 'one' },
      unverifiedClaims: { iss: 'https://issuer' },
    });
  });

  it('ignores header members that contain a key', () => {
    const header = { alg: 'ES256', typ: 'JWT', jwk: {}, jku: 'https://evil', x5u: 'https://evil', x5c: [] };
    expect(parseCompactJws(token(header)).unverifiedHeader).toEqual({ alg: 'ES256' });
  });

  // The API server refuses a header whose jwk or x5c is unusable. Here a key that is never used cannot be wrong (RFC 7515 §4.1.3).
  it.each([{ jwk: {} }, { jwk: 'x' }, { jwk: null }, { jwk: { kty: 'XX' } }, { x5c: ['x'] }, { nonce: 7 }])(
    'does not look at %j',
    (members) => {
      expect(parseCompactJws(token({ alg: 'ES256', ...members })).unverifiedHeader).toEqual({ alg: 'ES256' });
    },
  );

  it.each([
    ['nothing', ''],
    ['one part', HEADER],
    ['two parts', `${HEADER}.${PAYLOAD}`],
    ['four parts', `${HEADER}.${PAYLOAD}.${SIGNATURE}.`],
    ['five parts, as a JWE has', `${HEADER}.${PAYLOAD}.${SIGNATURE}.${SIGNATURE}.${SIGNATURE}`],
    ['many dots', '.'.repeat(8000)],
    ['no header', `.${PAYLOAD}.${SIGNATURE}`],
    ['no payload', `${HEADER}..${SIGNATURE}`],
    ['no signature', `${HEADER}.${PAYLOAD}.`],
    ['a JSON serialization', JSON.stringify({ protected: HEADER, payload: PAYLOAD, signature: SIGNATURE })],
    ['padding', `${HEADER}.${encodePart('{"a":11}')}=.${SIGNATURE}`],
    ['a space', `${HEADER} .${PAYLOAD}.${SIGNATURE}`],
    ['a line break', `${HEADER}.${PAYLOAD}.${SIGNATURE}\n`],
    ['stray bits in the signature', `${HEADER}.${PAYLOAD}.AB`],
    ['the other base64 alphabet', `${HEADER}.${PAYLOAD}.+/+/`],
    ['an impossible length', `${HEADER}.${PAYLOAD}.AAAAA`],
    ['a byte order mark', `${encodePart('\ufeff{"alg":"RS256"}')}.${PAYLOAD}.${SIGNATURE}`],
    ['bytes that are no UTF-8', token(Buffer.from('7b22616c67223a22ff227d', 'hex'))],
    ['a payload that is no JSON', token({ alg: 'RS256' }, 'text')],
    ['a payload that is a list', token({ alg: 'RS256' }, [])],
    ['a payload that is null', token({ alg: 'RS256' }, 'null')],
    ['a claim that is repeated', token({ alg: 'RS256' }, '{"iss":"a","iss":"b"}')],
    ['no alg', token({})],
    ['an alg that is no string', token({ alg: ['RS256'] })],
    ['an inherited alg', token('{"__proto__":{"alg":"RS256"}}')],
    ['a kid that is no string', token({ alg: 'RS256', kid: 1 })],
    ['a kid that is null', token({ alg: 'RS256', kid: null })],
    ['crit', token({ alg: 'RS256', crit: ['exp'] })],
    ['an empty crit', token({ alg: 'RS256', crit: [] })],
    ['a crit that is null', token({ alg: 'RS256', crit: null })],
    ['a crit of b64', token({ alg: 'RS256', crit: ['b64'] })],
    ['b64', token({ alg: 'RS256', b64: true })],
  ])('rejects %s', (_, text) => {
    expect(refusalOf(text).code).toBe('ERR_K8S_AUTH_TOKEN_MALFORMED');
  });

  it('does not quote a rejected token', () => {
    const { message, cause } = refusalOf(token({ alg: 'RS256' }, '{"password":hunter2}'));
    expect(message).toBe('payload: JSON: expected valid JSON (RFC 8259)');
    expect(cause).toBeUndefined();
  });
});
