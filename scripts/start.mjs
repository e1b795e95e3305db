// npm start: a stand-in for the Kubernetes API, service2 and service1, until Ctrl-C.
import './check-node.mjs';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './demo/build.mjs';
import { startApps } from './demo/apps.mjs';
import { checkPortsAreFree } from './demo/ports.mjs';
import { ROOT } from './demo/root.mjs';

const DEFAULT_VERIFIER = 'oidc-discovery';
// Each verifier is a folder with a definition. The list in the library cannot be used, because it may not be built yet.
const FOLDER = join(ROOT, 'libs/k8s-auth/src/verifiers');
const VERIFIERS = readdirSync(FOLDER).filter((kind) =>
  existsSync(join(FOLDER, kind, `${kind}.definition.ts`)),
);
const USAGE = `npm start [-- --verifier ${VERIFIERS.join('|')}] [--service2-port 8080] [--service1-port 8081]`;

function fail(message, code) {
  console.error(message);
  process.exit(code);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        verifier: { type: 'string', default: DEFAULT_VERIFIER },
        'service1-port': { type: 'string', default: '8081' },
        'service2-port': { type: 'string', default: '8080' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) fail(USAGE, 0);
    if (!VERIFIERS.includes(values.verifier)) throw new Error(`no verifier '${values.verifier}'`);
    const ports = { service1: Number(values['service1-port']), service2: Number(values['service2-port']) };
    for (const [name, port] of Object.entries(ports)) {
      if (!Number.isInteger(port) || port < 1 || port > 65535)
        throw new Error(`--${name}-port must be a number from 1 to 65535`);
    }
    return { verifier: values.verifier, ports };
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`, 2);
  }
}

const { verifier, ports } = readArguments();
await checkPortsAreFree(ports).catch((error) => fail(error.message, 1));
await buildIfStale().catch((error) => fail(error.message, 1));

// Imported only now, because it does not exist before the first build.
const { startCluster } = await import('./demo/cluster.mjs');
const cluster = await startCluster(verifier);
const apps = startApps({ cluster, verifier, ports });

let stopping = false;
async function stop(code) {
  if (stopping) return;
  stopping = true;
  await apps.stop();
  await cluster.stop();
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));
// npm may be killed without forwarding the signal. A new parent process means that npm has ended.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && void stop(0), 500);

apps.failed.then((message) => {
  if (!stopping) console.error(message);
  void stop(1);
});
