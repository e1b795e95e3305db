// npm run test:cluster [-- [--long] [JEST ARGUMENT]...]: the scenarios of test/cluster.
//   --long adds those that wait for minutes, such as the kubelet's rotation of a token.
// npm run test:tutorial: docs/tutorial.md, executed as a reader would.
// KUBECONFIG and CLUSTER_PROVIDER say where, CLUSTER_IMAGES which images are there; see cluster.sh and images.sh.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const [suite, ...rest] = process.argv.slice(2);
const isLong = rest.includes('--long');

function run(command, ...args) {
  const env = { ...process.env, CLUSTER_SCENARIOS: isLong ? 'long' : 'short' };
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}

const missing = ['KUBECONFIG', 'CLUSTER_PROVIDER'].filter((variable) => !process.env[variable]);
if (missing.length > 0) {
  console.error(`test:${suite}: it needs a real cluster, and ${missing.join(' and ')} to say which one`);
  process.exit(2);
}
// The tutorial's reader makes them.
if (suite !== 'tutorial') run('bash', 'scripts/images.sh');
run(
  process.execPath,
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  `--config=test/${suite}/jest.config.mjs`,
  ...rest.filter((argument) => argument !== '--long'),
);
