import { connect, createServer } from 'node:net';
import { type Clock } from '../../src/util/clock.js';

const ASK_EVERY_MS = 100;

/** @returns why the port cannot be used; `undefined` if it can */
export function whyPortIsUnusable(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`),
    );
    server.listen(port, () => server.close(() => resolve(undefined)));
  });
}

/** @returns `false` if the signal was aborted before the service was ready */
export async function waitUntilReady(
  url: string,
  readyPath: string | undefined,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  while (!signal.aborted) {
    if (await (readyPath === undefined ? isListening(url) : answersOk(`${url}${readyPath}`))) return true;
    await new Promise<void>((resolve) => void clock.schedule(ASK_EVERY_MS, resolve));
  }
  return false;
}

function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function answersOk(url: string): Promise<boolean> {
  try {
    // Without a kept connection, which would delay the shutdown of the service.
    return (await fetch(url, { headers: { connection: 'close' } })).ok;
  } catch {
    return false;
  }
}
