import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { UsageError } from '../command.js';

// Node accepts at most 16 KiB of headers. A longer input is a wrong file, such as a kubeconfig.
const MAX_BYTES = 64 * 1024;

/**
 * Reads the token to explain. Accepts what people copy: white space around it, `Bearer` or `Authorization: Bearer` before it.
 * @param source a path, or `-` for the standard input
 * @throws {UsageError} nothing can be read; the message contains nothing of the content
 */
export async function readTokenInput(source: string, stdin: NodeJS.ReadableStream): Promise<string> {
  const input = source === '-' ? await text(stdin) : await readFirstBytes(source);
  const token = input.trim().replace(/^(?:authorization:\s*)?bearer\s+/i, '');
  if (token === '') throw new UsageError(`expected a token in ${nameOf(source)}, which is empty.`);
  return token;
}

function nameOf(source: string): string {
  return source === '-' ? 'the standard input' : source;
}

async function readFirstBytes(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code = 'unknown error' } = error as { readonly code?: string };
    throw new UsageError(`${path} cannot be read (${code}).`);
  }
}
