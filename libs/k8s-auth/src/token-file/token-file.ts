import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { LEGACY_ISSUER } from '../jwt/service-account-claims.js';
import { TokenSourceError } from '../errors.js';
import { HEADER_VALUE } from '../util/syntax.js';
import { plainErrorOf } from '../util/plain-error.js';
import {
  audiencesOf,
  numericDateMs,
  readUnverifiedClaims,
  type UnverifiedClaims,
  USUAL_API_SERVER_AUDIENCES,
} from '../jwt/jwt-claims.js';
import { type Clock } from '../util/clock.js';
import { loggable } from '../util/log.js';

/** A header of 16 KiB is all that Node takes; four times that is no token, whatever it is. */
const LARGEST_FILE_BYTES = 64 * 1024;

// As Latin-1.
const UTF8_BYTE_ORDER_MARK = '\xef\xbb\xbf';

// Opening a named pipe would otherwise wait for its writer and hold a thread of the pool. Not known on Windows.
const READ_WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What a token file holds; nothing about it is verified. */
export interface TokenFileContent {
  readonly token: string;
  /** `undefined`: the token is not a JWT. */
  readonly claims?: UnverifiedClaims;
}

/**
 * Reads the one token that a file holds, white space around it dropped. Never blocks, never reads more than 64 KiB,
 * and says nothing of the content in its errors.
 * @param mayBeOpaque whether a token of another form than a JWT will do: whatever a header can carry
 * @throws {TokenSourceError} UNREADABLE (missing, no regular file, no permission), EMPTY, MALFORMED (no such token,
 * too long)
 * @internal
 */
export async function readTokenFile(file: string, mayBeOpaque = false): Promise<TokenFileContent> {
  const bytes = await readBytes(file);
  if (bytes.length > LARGEST_FILE_BYTES) {
    throw new TokenSourceError('MALFORMED', file, `token file ${file} is over ${LARGEST_FILE_BYTES} bytes`);
  }
  // One character a byte, as a header is sent: bytes stay what they are.
  const token = bytes.toString('latin1').trim();
  if (token === '') throw new TokenSourceError('EMPTY', file, `token file ${file} is empty`);
  const claims = readUnverifiedClaims(token);
  if (claims) return { token, claims };
  if (mayBeOpaque && HEADER_VALUE.test(token) && !token.startsWith(UTF8_BYTE_ORDER_MARK)) return { token };
  throw new TokenSourceError(
    'MALFORMED',
    file,
    `token file ${file} holds no ${mayBeOpaque ? 'token' : 'JWT'}`,
  );
}

// For a token that does not do, however often it is asked for: a destination may answer 401 to every request.
export const MIN_READ_PERIOD_MS = 500;

/**
 * Which file stands behind the path now, without reading it. The kubelet swaps a link, which makes it another file.
 * @returns text that stays the same as long as the content does, as far as the file system tells
 * @internal
 */
export async function versionOfTokenFile(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

async function readBytes(file: string): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, READ_WITHOUT_WAITING);
    if (!(await handle.stat()).isFile()) throw new Error('no regular file');
    return await readAtMost(handle, LARGEST_FILE_BYTES + 1);
  } catch (error) {
    const cause = plainErrorOf(error);
    throw new TokenSourceError('UNREADABLE', file, `token file ${file} cannot be read`, { cause });
  } finally {
    await handle?.close();
  }
}

async function readAtMost(handle: FileHandle, maxBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(maxBytes);
  let length = 0;
  while (length < maxBytes) {
    const { bytesRead } = await handle.read(buffer, length, maxBytes - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** A token that was fit to use when it was read. */
export interface HeldToken {
  readonly token: string;
  /** `exp`; tokens of Secrets have none. */
  readonly expiresAtMs?: number;
  /** From `exp - iat`; without `iat` from the moment it was first read. */
  readonly lifeMs?: number;
  /** The Kubernetes API accepts it, as far as its claims tell. */
  readonly isForApiServer: boolean;
}

// The kubelet has replaced the file by then: it does so at 80 % of the token's life.
const LATE_SHARE_OF_LIFE = 1 / 5;
const SHORT_REMAINDER_MS = 60_000;

/** Whether the next token has to be there any moment. @internal */
export function isNearItsEnd(held: HeldToken | undefined, clock: Clock): boolean {
  const { expiresAtMs, lifeMs = 0 } = held ?? {};
  if (expiresAtMs === undefined) return false;
  return expiresAtMs - clock.wallMs() <= Math.max(SHORT_REMAINDER_MS, lifeMs * LATE_SHARE_OF_LIFE);
}

/** What a token has to be. @internal */
export interface TokenExpectation {
  readonly file: string;
  readonly audience?: string;
  readonly clock: Clock;
}

/** `exp` is the first moment at which the token is no longer good (RFC 7519 §4.1.4). @internal */
export function hasExpired({ expiresAtMs }: Pick<HeldToken, 'expiresAtMs'>, clock: Clock): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= clock.wallMs();
}

/**
 * Decides whether what a file holds replaces the token in memory. An older token does: the file is the truth.
 * @throws {TokenSourceError} MALFORMED, AUDIENCE or EXPIRED
 * @internal
 */
export function acceptToken(
  { token, claims = {} }: TokenFileContent,
  held: HeldToken | undefined,
  { file, audience, clock }: TokenExpectation,
): HeldToken {
  const expiresAtMs = numericDateMs(claims.exp);
  if (claims.exp !== undefined && expiresAtMs === undefined) {
    throw new TokenSourceError('MALFORMED', file, `"exp" of the token in ${file} is no finite number`);
  }
  if (held && !hasExpired(held, clock) && isCutOff(token, held.token)) {
    throw new TokenSourceError('MALFORMED', file, `token in ${file} is cut off`);
  }
  const audiences = audiencesOf(claims);
  if (audience !== undefined && !audiences?.includes(audience)) {
    const actual = loggable(JSON.stringify(audiences ?? []));
    const message = `"aud" of the token in ${file} has to include ${JSON.stringify(audience)}, is ${actual}`;
    throw new TokenSourceError('AUDIENCE', file, message);
  }
  if (hasExpired({ expiresAtMs }, clock)) {
    throw new TokenSourceError('EXPIRED', file, `token in ${file} has expired`);
  }
  if (held?.token === token) return held;
  const isForApiServer = hasApiServerAudience(claims);
  if (expiresAtMs === undefined) return { token, isForApiServer };
  const lifeMs = expiresAtMs - (numericDateMs(claims.iat) ?? clock.wallMs());
  return { token, expiresAtMs, lifeMs, isForApiServer };
}

/** An API server accepts its issuer as audience when nobody says otherwise, and tokens of Secrets, which have no `aud`. */
function hasApiServerAudience(claims: UnverifiedClaims): boolean {
  const ofApiServer = [...USUAL_API_SERVER_AUDIENCES, claims.iss];
  const audiences = audiencesOf(claims);
  return audiences?.some((audience) => ofApiServer.includes(audience)) ?? claims.iss === LEGACY_ISSUER;
}

/**
 * A file that is written in place can be read half written, and half a signature has the shape of a whole one. The
 * same header with a `kid` means the same key and algorithm (RFC 7515 §4.1.4), hence a signature of the same length.
 */
function isCutOff(token: string, lastGood: string): boolean {
  if (token === lastGood) return false;
  if (lastGood.startsWith(token)) return true;
  const [header = '', , signature = ''] = token.split('.');
  const [lastHeader, , lastSignature = ''] = lastGood.split('.');
  if (header !== lastHeader || signature.length === lastSignature.length) return false;
  return Buffer.from(header, 'base64url').includes('"kid"');
}
