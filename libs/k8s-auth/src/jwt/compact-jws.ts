import { isUtf8 } from 'node:buffer';
import { InvalidTokenError } from '../errors.js';
import { isJsonObject, type JsonObject, member, parseStrictJson } from './strict-json.js';

/** What is read of a JOSE header. `jwk`, `jku`, `x5u` and `x5c` are not: a token does not name its own key (RFC 8725 §3.10). */
export interface UnverifiedHeader {
  readonly alg: string;
  readonly kid?: string;
}

/** A token with the strict shape of a compact JWS. Nothing in it has been verified. */
export interface UnverifiedJws {
  readonly token: string;
  readonly unverifiedHeader: UnverifiedHeader;
  readonly unverifiedClaims: JsonObject;
}

/**
 * The compact serialization of RFC 7515 §7.1 and nothing near it: exactly three parts, each the one canonical
 * base64url text of its bytes, header and payload JSON objects in UTF-8. Decoders differ in what else they forgive
 * (padding, spaces, stray bits, a byte order mark), between releases of Node too; behind this check they agree.
 * @throws {InvalidTokenError} MALFORMED
 * @internal
 */
export function parseCompactJws(token: string): UnverifiedJws {
  const firstDot = token.indexOf('.');
  const secondDot = token.indexOf('.', firstDot + 1);
  if (firstDot < 0 || secondDot < 0 || token.includes('.', secondDot + 1)) {
    throw malformed('token: expected three parts');
  }
  const header = decodeObject('header', token.slice(0, firstDot));
  const unverifiedClaims = decodeObject('payload', token.slice(firstDot + 1, secondDot));
  decode('signature', token.slice(secondDot + 1));
  return { token, unverifiedHeader: checkHeader(header), unverifiedClaims };
}

function checkHeader(header: JsonObject): UnverifiedHeader {
  const alg = member(header, 'alg');
  const kid = member(header, 'kid');
  if (typeof alg !== 'string') throw malformed('"alg" header: expected a string');
  if (kid !== undefined && typeof kid !== 'string') throw malformed('"kid" header: expected a string');
  // RFC 7515 §4.1.11 and RFC 7797: extensions change what is signed, and Kubernetes uses none.
  for (const name of ['crit', 'b64']) {
    if (Object.hasOwn(header, name)) throw malformed(`"${name}" header: expected none`);
  }
  return kid === undefined ? { alg } : { alg, kid };
}

function decodeObject(what: string, part: string): JsonObject {
  const bytes = decode(what, part);
  if (!isUtf8(bytes)) throw malformed(`${what}: expected UTF-8`);
  let value: unknown;
  try {
    value = parseStrictJson(bytes.toString('utf8'));
  } catch (error) {
    throw malformed(`${what}: ${(error as SyntaxError).message}`);
  }
  if (!isJsonObject(value)) throw malformed(`${what}: expected a JSON object`);
  return value;
}

function decode(what: string, part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (part === '' || bytes.toString('base64url') !== part) {
    throw malformed(`${what}: expected canonical base64url`);
  }
  return bytes;
}

function malformed(message: string): InvalidTokenError {
  return new InvalidTokenError('MALFORMED', message);
}
