import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that Linux (32768), macOS and Windows (49152) give to connections and to servers that ask for any
 * port, and below the node ports of Kubernetes (30000): the system gives none of them to another program.
 */
const FIRST = 20_000;
const END = 30_000;

/**
 * A port that is not in use now, for servers that cannot tell which port they got.
 * @throws {Error} nothing can listen here
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // Windows reserves some ports for other programs (EACCES).
    if (code === 'EADDRINUSE' || code === 'EACCES') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
