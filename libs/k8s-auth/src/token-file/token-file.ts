import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { TokenSourceError } from '../errors.js';
import { HEADER_VALUE } from '../util/syntax.js';
import { plainErrorOf } from '../util/plain-error.js';
import { readUnverifiedClaims, type UnverifiedClaims } from '../jwt/jwt-claims.js';

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
