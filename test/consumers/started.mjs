import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

const START_MS = 180_000;

/**
 * Starts an application, and waits until it answers. Ends it, and the processes that it has started.
 * @throws {Error} it ends before, does not start in time, or answers with an error
 */
export async function requestPage({ application, processEnvironment }, [program, ...args], path = '/') {
  const port = await freePort();
  const isPosix = process.platform !== 'win32';
  const child = spawn(program, args, {
    cwd: application,
    env: { ...processEnvironment, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, because programs that watch files start the application as a child.
    detached: isPosix,
    shell: !isPosix,
  });
  let output = '';
  const isStarted = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`has not started in time:\n${output}`)), START_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data;
        if (output.includes('successfully started')) resolve(clearTimeout(timer));
      });
    }
    child.on('error', reject);
    child.on('close', () => reject(new Error(`ended before it started:\n${output}`)));
  });
  try {
    await isStarted;
    // `listen` follows the last line of the log.
    for (;;) {
      const response = await fetch(`http://localhost:${port}${path}`).catch(() => undefined);
      if (response?.ok) return;
      if (response) throw new Error(`GET ${path} answers ${response.status}`);
    }
  } finally {
    stop(child, isPosix);
  }
}

function stop(child, hasGroup) {
  try {
    if (hasGroup) process.kill(-child.pid, 'SIGTERM');
    else child.kill();
  } catch {
    // It has already ended.
  }
}

async function freePort() {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
