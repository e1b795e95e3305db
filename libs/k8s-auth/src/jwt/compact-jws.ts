import { isUtf8 } from 'node:buffer';
import { InvalidTokenError } from '../errors.js';

/** The members of a JOSE header that are used. `jwk`, `jku`, `x5u` and `x5c` are ignored: a token must not supply its own key (RFC 8725 §3.10). */
export interface UnverifiedHeader {
  readonly alg: string;
  readonly kid?: string;
}

/** A token with the strict shape of a compact JWS. Nothing in it has been verified. */
export interface UnverifiedJws {
  readonly token: string;
  readonly signature: Uint8Array;
  readonly unverifiedHeader: UnverifiedHeader;
  readonly unverifiedClaims: JsonObject;
}

/**
 * Parses the compact serialization of RFC 7515 §7.1 strictly: exactly three parts, each in canonical base64url; header
 * and payload are JSON objects in UTF-8. Decoders differ in the malformed input that they tolerate (padding, spaces,
 * stray bits, a byte order mark), also between releases of Node. After this check all decoders read the same value.
 * @throws {InvalidTokenError} MALFORMED
 * @internal
 */
export function parseCompactJws(token: string): UnverifiedJws {
  const firstDot = token.indexOf('.');
  const secondDot = token.indexOf('.', firstDot + 1);
  if (firstDot < 0 || secondDot < 0 || token.includes('.', secondDot + 1)) {
    throw malformed('token: expected three parts');
  }
  const unverifiedHeader = parseHeader(token.slice(0, firstDot));
  const unverifiedClaims = decodeObject('payload', token.slice(firstDot + 1, secondDot));
  return {
    token,
    signature: decode('signature', token.slice(secondDot + 1)),
    unverifiedHeader,
    unverifiedClaims,
  };
}

/** All tokens of one key have the same header. */
let last: { readonly part: string; readonly header: UnverifiedHeader } | undefined;

function parseHeader(part: string): UnverifiedHeader {
  if (last?.part !== part) last = { part, header: checkHeader(decodeObject('header', part)) };
  return last.header;
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

// The characters that end a part of 4n + 2 or 4n + 3 characters: their last 4 or 2 bits are not used, and are 0.
const LAST_OF_TWO = 'AQgw';
const LAST_OF_THREE = 'AEIMQUYcgkosw048';

/**
 * Buffer skips characters that are not base64, stops at padding, reads only the low byte of other characters, and also
 * accepts the two characters of plain base64. So a part is canonical if it is ASCII without those two, nothing was
 * skipped, and the unused bits of its last character are 0. This costs a fifth of encoding the bytes again.
 */
function decode(what: string, part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  const rest = part.length % 4;
  const isCanonical =
    part !== '' &&
    rest !== 1 &&
    bytes.length === Math.floor((part.length * 3) / 4) &&
    Buffer.byteLength(part) === part.length &&
    !part.includes('+') &&
    !part.includes('/') &&
    (rest === 0 || (rest === 2 ? LAST_OF_TWO : LAST_OF_THREE).includes(part.charAt(part.length - 1)));
  if (!isCanonical) throw malformed(`${what}: expected canonical base64url`);
  return bytes;
}

function malformed(message: string): InvalidTokenError {
  return new InvalidTokenError('MALFORMED', message);
}

/** A JSON object. Read it with {@link member}, which ignores inherited properties. @internal */
export type JsonObject = Readonly<Record<string, unknown>>;

// A token has at most 16 KiB. The claims of Kubernetes have four levels.
const MAX_LENGTH = 16_384;
const MAX_DEPTH = 16;

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * JSON.parse for hostile text. At any depth it rejects:
 *
 * - a repeated name: two parsers may read two different values (RFC 7519 §4: names are unique);
 * - the name `__proto__`: if later code assigns it, the object inherits claims that nobody signed;
 * - text that is too long or nested too deeply.
 * @throws {SyntaxError} its message contains nothing of the text
 * @internal
 */
export function parseStrictJson(text: string): unknown {
  if (text.length > MAX_LENGTH) throw new SyntaxError(`JSON: expected at most ${MAX_LENGTH} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of JSON.parse quotes the text, so it is not used.
    throw new SyntaxError('JSON: expected valid JSON (RFC 8259)');
  }
  // JSON.parse keeps one of the members with the same name.
  if (countNames(text) !== countMembers(value)) throw new SyntaxError('JSON: expected unique names');
  return value;
}

/** @internal */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads an own property; inherited properties are ignored. @internal */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** @param text that JSON.parse has accepted: there, a string before a colon is always a name, and every other one a value */
function countNames(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = endOfString(text, at);
    if (isBeforeColon(text, at)) count++;
  }
  return count;
}

/** Counts the members of all objects in a value of JSON.parse. */
function countMembers(value: unknown, depth = 1): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > MAX_DEPTH) throw new SyntaxError(`JSON: expected at most ${MAX_DEPTH} levels`);
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) count += countMembers(element, depth + 1);
    return count;
  }
  for (const name of Object.keys(value)) {
    if (name === '__proto__') throw new SyntaxError('JSON: expected no "__proto__"');
    count += 1 + countMembers((value as JsonObject)[name], depth + 1);
  }
  return count;
}

/** @returns the index after the closing quote */
function endOfString(text: string, openingQuote: number): number {
  const nextQuote = text.indexOf('"', openingQuote + 1);
  if (text.charCodeAt(nextQuote - 1) !== BACKSLASH) return nextQuote + 1;
  let at = openingQuote + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function isBeforeColon(text: string, from: number): boolean {
  let at = from;
  // The white-space characters of RFC 8259 §2 are at most 0x20.
  while (text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === COLON;
}
