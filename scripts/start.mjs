// npm start: a stand-in for the Kubernetes API, service2 and service1, until Ctrl-C.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildWhatIsMissing } from './demo/build.mjs';
import { startApps } from './demo/apps.mjs';
import { refuseTakenPorts } from './demo/ports.mjs';
import { ROOT } from './demo/root.mjs';

const DEFAULT_VERIFIER = 'oidc-discovery';
// Each is a folder with a definition. The library, which has the list, may not be built yet.
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
      if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`--${name}-port is no port`);
    }
    return { verifier: values.verifier, ports };
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`, 2);
  }
}

const { verifier, ports } = readArguments();
await refuseTakenPorts(ports).catch((error) => fail(error.message, 1));
await buildWhatIsMissing().catch((error) => fail(error.message, 1));

// Imported now, because before the build it may not be there.
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
// npm may be killed without passing the signal on: being handed to another parent means nobody waits for us.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && void stop(0), 500);

apps.failed.then((message) => {
  if (!stopping) console.error(message);
  void stop(1);
});
