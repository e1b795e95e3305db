// npm run test:cluster [-- [--long] [JEST ARGUMENT]...]: runs the scenarios of test/cluster.
//   --long adds the scenarios that take minutes, such as the kubelet's rotation of a token.
// npm run test:tutorial: executes docs/tutorial.md as a reader would. KUBECONFIG and CLUSTER_PROVIDER name the cluster,
// CLUSTER_IMAGES says which images exist; see cluster.sh and images.sh.
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
  console.error(`test:${suite}: needs a real cluster; set ${missing.join(' and ')} to choose it`);
  process.exit(2);
}
// In the tutorial, the reader builds the images.
if (suite !== 'tutorial') run('bash', 'scripts/images.sh');
run(
  process.execPath,
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  `--config=test/${suite}/jest.config.mjs`,
  ...rest.filter((argument) => argument !== '--long'),
);
