// Starts service2 and service1 as separate processes, and prefixes their output with their names.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './root.mjs';
import { printWhatToTry } from './what-to-try.mjs';

const STOP_WITHIN_MS = 5000;

/** @returns `stop()`, and the promise `failed`, which resolves when an application exits unexpectedly */
export function startApps({ cluster, verifier, ports }) {
  const children = [];
  const { promise: failed, resolve: fail } = withResolvers();
  const start = (name, environment) => {
    const child = spawn(process.execPath, [join(ROOT, 'dist/apps', name, 'main.js')], {
      // Only these variables: KUBECONFIG or K8S_AUTH_ variables of the user's shell must have no effect.
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.ended = new Promise((resolve) => child.once('close', resolve));
    child.once('close', (code) => fail(`${name} exited unexpectedly with code ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => console.log(`[${name}] ${line}`));
    }
    children.push(child);
  };

  const service2 = `http://127.0.0.1:${ports.service2}`;
  start('service2', {
    ...cluster.service2Environment(),
    K8S_AUTH_VERIFIER: verifier,
    PORT: String(ports.service2),
  });
  void (async () => {
    if (!(await isReady(`${service2}/readyz`))) return fail('service2 did not become ready within 30 s');
    start('service1', {
      PORT: String(ports.service1),
      TARGET_URL: service2,
      K8S_AUTH_DESTINATIONS: `${service2}=${cluster.service1TokenFile}`,
    });
    printWhatToTry({ cluster, verifier, ports });
  })();
  return { failed, stop: () => Promise.all(children.map(stopChild)) };
}

async function stopChild(child) {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await child.ended;
  clearTimeout(kill);
}

async function isReady(url) {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    // Without a kept connection, which would delay the shutdown of the application.
    const ok = await fetch(url, { headers: { connection: 'close' } }).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}
