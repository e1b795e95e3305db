import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

const START_MS = 180_000;

/**
 * Starts an application, and waits until it answers. Ends it, and the processes that it has started.
 * @throws {Error} it ends before, does not start in time, or answers with an error
 */
export function requestPage(context, command, path = '/') {
  return whileRunning(context, command, 'successfully started', async (port) => {
    // `listen` follows the last line of the log.
    for (;;) {
      const response = await fetch(`http://localhost:${port}${path}`).catch(() => undefined);
      if (response?.ok) return;
      if (response) throw new Error(`GET ${path} answers ${response.status}`);
    }
  });
}

/**
 * Starts `nest-k8s-auth dev`, and sends requests without and with the token of the first command that it prints.
 * @throws {Error} the application does not start in time, or does not answer 401 and 200
 */
export function requestWithToken(context, command, path) {
  return whileRunning(context, command, '[try] here:', async (port, output) => {
    const [, file] = /200 {2}curl .*\$\(cat (\S+)\)/.exec(output()) ?? [];
    const statuses = [];
    for (const headers of [{}, { authorization: `Bearer ${await readFile(file, 'utf8')}` }]) {
      statuses.push((await fetch(`http://localhost:${port}${path}`, { headers })).status);
    }
    if (statuses.join() !== '401,200') throw new Error(`answers ${statuses.join()}:\n${output()}`);
  });
}

/** Runs a command with a port of its own, and `use` when its output has this text. */
async function whileRunning({ application, processEnvironment }, [program, ...args], text, use) {
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
        if (output.includes(text)) resolve(clearTimeout(timer));
      });
    }
    child.on('error', reject);
    child.on('close', () => reject(new Error(`ended before it started:\n${output}`)));
  });
  try {
    await isStarted;
    await use(port, () => output);
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

/** Below the ports that systems give to connections and to servers that ask for any port: no other program is given it. */
async function freePort() {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const server = createServer().listen(port);
    const isFree = await new Promise((resolve, reject) => {
      server.once('listening', () => server.close(() => resolve(true)));
      // As in free-port.ts of the tests in TypeScript: Windows reserves some ports for other programs (EACCES).
      server.once('error', (error) =>
        ['EADDRINUSE', 'EACCES'].includes(error.code) ? resolve(false) : reject(error),
      );
    });
    if (isFree) return port;
  }
}
