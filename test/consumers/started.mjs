import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

/** Starts a built application, and waits until it answers. @throws {Error} it ends before, or answers with an error */
export async function requestFirstPage(application, args) {
  const port = await freePort();
  const child = spawn(process.execPath, args, {
    cwd: application,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const isStarted = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data;
        if (output.includes('successfully started')) resolve();
      });
    }
    child.on('close', () => reject(new Error(`ended before it started:\n${output}`)));
  });
  try {
    await isStarted;
    // `listen` follows the last line of the log.
    for (;;) {
      const response = await fetch(`http://localhost:${port}/`).catch(() => undefined);
      if (response?.ok) return;
      if (response) throw new Error(`GET / answers ${response.status}`);
    }
  } finally {
    child.kill();
  }
}

async function freePort() {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
