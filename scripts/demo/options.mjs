// The two applications as services of `nest-k8s-auth dev`.
import { join } from 'node:path';
import { ROOT } from './root.mjs';

// A real cluster grants 600 s at least and rotates after 480 s: too long to watch.
const TOKEN_SECONDS = 40;
const KEY_PERIOD_MS = 60_000;
const ADMIN = { namespace: 'mytest', name: 'admin' };
const CLIENT = { namespace: 'mytest', name: 'default' };
// Without these, programs do not run on Windows. KUBECONFIG or K8S_AUTH_ variables of the user's shell must have no effect.
const INHERITED = ['PATH', 'Path', 'PATHEXT', 'SystemRoot', 'ComSpec', 'TEMP'];

// The line of apps/service1 about one of its calls.
const CALL_LINE =
  /target=(?<target>\S+), (?:status=(?<status>\d{3}), response: '(?<body>.*)'|error: '(?<error>.*)')$/;

/** @returns the options of `runDev` */
export function demoOptions({ verifier, ports, pagePort, isVerbose }) {
  const environment = Object.fromEntries(
    INHERITED.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]),
  );
  const service2 = `http://127.0.0.1:${ports.service2}`;
  const run = (name) => [process.execPath, join(ROOT, 'dist/apps', name, 'main.js')];
  return {
    services: [
      {
        name: 'service2',
        command: run('service2'),
        identity: { namespace: 'mytest', name: 'service2' },
        audience: 'service2',
        verifier,
        destinations: [],
        port: ports.service2,
        environment: {},
        readyPath: '/readyz',
        tries: [
          { status: 200, path: '/whoami', note: 'the caller as JSON' },
          { status: 403, path: '/admin', note: 'authenticated, but not an admin' },
          { status: 200, path: '/admin', caller: ADMIN, note: 'mytest/admin' },
        ],
      },
      {
        name: 'service1',
        command: run('service1'),
        identity: CLIENT,
        audience: 'service1',
        verifier: undefined,
        destinations: [{ origin: service2, audience: 'service2' }],
        port: ports.service1,
        environment: { TARGET_URL: service2 },
        callLine: CALL_LINE,
      },
    ],
    callers: [CLIENT, ADMIN],
    isVerbose,
    environment,
    alsoSet: [],
    tokenSeconds: TOKEN_SECONDS,
    keyPeriodMs: KEY_PERIOD_MS,
    pagePort,
  };
}
