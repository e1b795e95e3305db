// npm run test:tutorial: executes docs/tutorial.md on the cluster of KUBECONFIG, as a reader would.
// CLUSTER_PROVIDER says how images come to its nodes, and CLUSTER_IMAGES whether they are there; see cluster.sh, images.sh.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const missing = ['KUBECONFIG', 'CLUSTER_PROVIDER'].filter((variable) => !process.env[variable]);
if (missing.length > 0) {
  console.error(`test:tutorial: it needs a real cluster, and ${missing.join(' and ')} to say which one`);
  process.exit(2);
}
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--config=test/tutorial/jest.config.mjs',
    ...process.argv.slice(2),
  ],
  { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: 'inherit' },
);
process.exit(status ?? 1);
