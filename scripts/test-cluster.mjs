// npm run test:cluster [-- [--long] [JEST ARGUMENT]...]: the scenarios on the cluster of KUBECONFIG.
//   --long adds those that wait for minutes, such as the kubelet's rotation of a token.
// CLUSTER_IMAGES=loaded leaves the images as they are, see images.sh for the rest.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isLong = process.argv.includes('--long');
const jestArguments = process.argv.slice(2).filter((argument) => argument !== '--long');

function run(command, args, env = {}) {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (!process.env.KUBECONFIG) {
  console.error('test:cluster: KUBECONFIG names no cluster: its scenarios run on a real one only');
  process.exit(2);
}
if (process.env.CLUSTER_IMAGES !== 'loaded') run('bash', ['scripts/images.sh']);
run(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--config=test/cluster/jest.config.mjs',
    ...jestArguments,
  ],
  { CLUSTER_SCENARIOS: isLong ? 'long' : 'short' },
);
