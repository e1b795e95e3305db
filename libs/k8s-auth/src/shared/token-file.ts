import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TokenSourceError } from '../errors/index.js';
import { readUnverifiedClaims, type UnverifiedClaims } from './unverified-claims.js';

/** A header of 16 KiB is all that Node takes; four times that is no token, whatever it is. */
const LARGEST_FILE_BYTES = 64 * 1024;

// Opening a named pipe would otherwise wait for its writer and hold a thread of the pool. Not known on Windows.
const READ_WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What a token file holds; nothing about it is verified. */
export interface TokenFileContent {
  readonly token: string;
  readonly claims: UnverifiedClaims;
}

/**
 * Reads the one JWT that a file holds, white space around it dropped. Never blocks, never reads more than 64 KiB, and
 * says nothing of the content in its errors.
 * @throws {TokenSourceError} UNREADABLE (missing, no regular file, no permission), EMPTY, MALFORMED (no JWT, too long)
 * @internal
 */
export async function readTokenFile(file: string): Promise<TokenFileContent> {
  const bytes = await readBytes(file);
  if (bytes.length > LARGEST_FILE_BYTES) {
    throw new TokenSourceError('MALFORMED', file, `token file ${file} is over ${LARGEST_FILE_BYTES} bytes`);
  }
  // One character a byte: bytes that no JWT has stay what they are, and are refused by the shape.
  const token = bytes.toString('latin1').trim();
  if (token === '') throw new TokenSourceError('EMPTY', file, `token file ${file} is empty`);
  const claims = readUnverifiedClaims(token);
  if (!claims) throw new TokenSourceError('MALFORMED', file, `token file ${file} holds no JWT`);
  return { token, claims };
}

async function readBytes(file: string): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, READ_WITHOUT_WAITING);
    if (!(await handle.stat()).isFile()) throw new Error('no regular file');
    return await readAtMost(handle, LARGEST_FILE_BYTES + 1);
  } catch (cause) {
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
