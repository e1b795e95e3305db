// Behind npm start: service2 and service1 around a stand-in for the Kubernetes API, until Ctrl-C. The repository's own use of
// `npx nest-k8s-auth dev`.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './demo/build.mjs';
import { demoOptions } from './demo/options.mjs';
import { ROOT } from './demo/root.mjs';

const DEFAULT_VERIFIER = 'oidc-discovery';
// Each verifier is a folder with a definition. The list in the library cannot be used, because it may not be built yet.
const FOLDER = join(ROOT, 'libs/k8s-auth/src/verifiers');
const VERIFIERS = readdirSync(FOLDER).filter((kind) =>
  existsSync(join(FOLDER, kind, `${kind}.definition.ts`)),
);
const USAGE = `npm start [-- --verifier ${VERIFIERS.join('|')}] [--service2-port 8080] [--service1-port 8081] [--page-port 8082 | --no-page] [--verbose]`;

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
        'page-port': { type: 'string', default: '0' },
        'no-page': { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
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
    if (ports.service1 === ports.service2) throw new Error('service1 and service2 need two different ports');
    const pagePort = values['no-page'] ? undefined : Number(values['page-port']);
    if (pagePort !== undefined && !(Number.isInteger(pagePort) && pagePort >= 0 && pagePort <= 65535))
      throw new Error('--page-port must be a number from 0 to 65535');
    return { verifier: values.verifier, ports, pagePort, isVerbose: values.verbose };
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`, 2);
  }
}

const options = demoOptions(readArguments());
await buildIfStale().catch((error) => fail(error.message, 1));

// Imported only now, because it does not exist before the first build.
const { runDev } = await import('../libs/k8s-auth/dist/cli/dev/run-dev.js');
const adviseOption = (name, port) => `npm start -- --${name}-port ${port}`;
process.exitCode = await runDev(options, adviseOption).catch((error) => fail(error.message, 1));
