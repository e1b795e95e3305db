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

/** Node accepts at most 16 KiB of headers, so a file of more than four times that size cannot hold a usable token. */
const MAX_FILE_BYTES = 64 * 1024;

// The UTF-8 byte order mark, read as Latin-1.
const UTF8_BYTE_ORDER_MARK = '\xef\xbb\xbf';

// Without O_NONBLOCK, opening a named pipe waits for a writer and blocks a thread of the pool. Windows has no O_NONBLOCK.
const READ_WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** The content of a token file. It is not verified. */
export interface TokenFileContent {
  readonly token: string;
  /** `undefined` if the token is not a JWT. */
  readonly claims?: UnverifiedClaims;
}

/**
 * Reads a file that contains one token, and removes white space around it. Never blocks and never reads more than
 * 64 KiB. Its errors contain nothing of the content.
 * @param mayBeOpaque whether the token may have another form than a JWT, as long as a header can carry it
 * @throws {TokenSourceError} UNREADABLE (missing, not a regular file, no permission), EMPTY, MALFORMED (not a token, too
 *   long)
 * @internal
 */
export async function readTokenFile(file: string, mayBeOpaque = false): Promise<TokenFileContent> {
  const bytes = await readBytes(file);
  if (bytes.length > MAX_FILE_BYTES) {
    throw new TokenSourceError('MALFORMED', file, `token file ${file} has more than ${MAX_FILE_BYTES} bytes`);
  }
  // Latin-1, as headers are sent: each byte is one character, so that no byte changes.
  const token = bytes.toString('latin1').trim();
  if (token === '') throw new TokenSourceError('EMPTY', file, `token file ${file} is empty`);
  const claims = readUnverifiedClaims(token);
  if (claims) return { token, claims };
  if (mayBeOpaque && HEADER_VALUE.test(token) && !token.startsWith(UTF8_BYTE_ORDER_MARK)) return { token };
  throw new TokenSourceError(
    'MALFORMED',
    file,
    `token file ${file} does not contain a ${mayBeOpaque ? 'token' : 'JWT'}`,
  );
}

// Limits the reads of an unchanged file, because a destination may answer 401 to every request.
export const MIN_READ_PERIOD_MS = 500;

/**
 * Identifies the file behind the path without reading it. When the kubelet replaces a token, it swaps a symbolic link,
 * so that the path leads to another file.
 * @internal
 */
export async function versionOfTokenFile(file: string): Promise<TokenFileVersion> {
  try {
    const { dev, ino, size, mtimeMs, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return { id: [dev, ino, size, mtimeNs, ctimeNs].join(' '), writtenMs: Number(mtimeMs) };
  } catch (error) {
    return { id: String((error as NodeJS.ErrnoException).code) };
  }
}

/** @internal */
export interface TokenFileVersion {
  /** Changes when the file system shows that the content has changed. */
  readonly id: string;
  /** When the file was written, milliseconds since the epoch. */
  readonly writtenMs?: number;
}

async function readBytes(file: string): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, READ_WITHOUT_WAITING);
    if (!(await handle.stat()).isFile()) throw new Error('not a regular file');
    return await readAtMost(handle, MAX_FILE_BYTES + 1);
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

/** A token that was accepted when its file was read. */
export interface HeldToken {
  readonly token: string;
  /** `exp` in milliseconds. Omitted for legacy tokens, which have none. */
  readonly expiresAtMs?: number;
  /** The lifetime: `exp - iat`. Without `iat`, it counts from the first read. */
  readonly lifeMs?: number;
  /** Whether the claims indicate that the Kubernetes API accepts the token. */
  readonly isForApiServer: boolean;
}

// The kubelet replaces the file at 80 % of the token's lifetime.
const NEAR_EXPIRY_SHARE = 1 / 5;
const MIN_NEAR_EXPIRY_MS = 60_000;

/** Whether the token expires so soon that its file should have been replaced. @internal */
export function isNearExpiry(held: HeldToken | undefined, clock: Clock): boolean {
  const { expiresAtMs, lifeMs = 0 } = held ?? {};
  if (expiresAtMs === undefined) return false;
  return expiresAtMs - clock.wallMs() <= Math.max(MIN_NEAR_EXPIRY_MS, lifeMs * NEAR_EXPIRY_SHARE);
}

/** What is expected of the token in a file. @internal */
export interface TokenExpectation {
  readonly file: string;
  readonly audience?: string;
  readonly clock: Clock;
}

/** A token has expired at `exp`, not only after it (RFC 7519 §4.1.4). @internal */
export function hasExpired({ expiresAtMs }: Pick<HeldToken, 'expiresAtMs'>, clock: Clock): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= clock.wallMs();
}

/**
 * Decides whether the token in a file replaces the token in memory. An older token is accepted too: the file is
 * authoritative.
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
    throw new TokenSourceError('MALFORMED', file, `"exp" of the token in ${file} is not a finite number`);
  }
  if (held && !hasExpired(held, clock) && isTruncated(token, held.token)) {
    throw new TokenSourceError('MALFORMED', file, `token in ${file} is truncated`);
  }
  const audiences = audiencesOf(claims);
  if (audience !== undefined && !audiences?.includes(audience)) {
    const actual = loggable(JSON.stringify(audiences ?? []));
    const message = `"aud" of the token in ${file}: expected ${JSON.stringify(audience)}, got ${actual}`;
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

/** By default an API server accepts its issuer as audience. It also accepts legacy tokens, which have no `aud`. */
function hasApiServerAudience(claims: UnverifiedClaims): boolean {
  const ofApiServer = [...USUAL_API_SERVER_AUDIENCES, claims.iss];
  const audiences = audiencesOf(claims);
  return audiences?.some((audience) => ofApiServer.includes(audience)) ?? claims.iss === LEGACY_ISSUER;
}

/**
 * Whether the token seems to be only the first part of a token. This happens if a file is read while it is written in
 * place, and a truncated signature still looks like a JWT. It is detected by comparison with the last good token: the
 * same header with a `kid` means the same key and algorithm (RFC 7515 §4.1.4), so the signatures must be equally long.
 */
function isTruncated(token: string, lastGood: string): boolean {
  if (token === lastGood) return false;
  if (lastGood.startsWith(token)) return true;
  const [header = '', , signature = ''] = token.split('.');
  const [lastHeader, , lastSignature = ''] = lastGood.split('.');
  if (header !== lastHeader || signature.length === lastSignature.length) return false;
  return Buffer.from(header, 'base64url').includes('"kid"');
}
