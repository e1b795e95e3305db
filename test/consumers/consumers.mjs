import { bundles } from './bundles.mjs';
import { packageManagers } from './managers.mjs';
import { createService, runService } from './service.mjs';
import {
  addCode,
  compileAndStart,
  dev,
  generateNest,
  install,
  long,
  npm,
  npx,
  required,
  start,
} from './steps.mjs';

const NEST_11 = ['@nestjs/axios@4', '@nestjs/config@4', 'axios'];

/** An application of `nest new`: it builds, runs, and passes its own tests. */
const starter = (nest, packages, ...more) => [
  generateNest(nest),
  install(...packages),
  required(npm('install', '--save-dev', '@peculiar/x509@2')),
  addCode(),
  npm('run', 'build'),
  start('node dist/main.js'),
  dev(),
  npm('test'),
  npm('run', 'test:e2e'),
  ...more,
];

const nest11Starter = starter(
  11,
  NEST_11,
  ...long(
    npm('run', 'lint'),
    start('npm run start'),
    npx('nest', 'build', '--builder', 'webpack'),
    start('node dist/main.js'),
    npm('install', '--save-dev', '@swc/cli', '@swc/core'),
    npx('nest', 'build', '--builder', 'swc'),
    start('node dist/main.js'),
  ),
);

/** A service that only receives requests, without optional packages. */
const receiving = (nest) => [
  createService({ nest }),
  required(npm('install')),
  runService('require'),
  runService('import'),
];

/**
 * Applications of users, most common first. The configuration of a generated application is never changed.
 * `node`: the version of Node, if it is not that of this process. `tools`: programs from npm. `env`: variables.
 */
export const CONSUMERS = [
  { name: 'nest-11', steps: nest11Starter },
  { name: 'receiving', steps: receiving(11) },
  {
    name: 'nest-12',
    // @nestjs/cli 12 needs a later Node than the library.
    node: '24',
    steps: starter(12, ['@nestjs/axios', '@nestjs/config', 'axios'], npm('run', 'lint')),
  },
  {
    name: 'nest-11-typescript-5.7',
    steps: [
      generateNest(11),
      required(npm('install', '--save-dev', 'typescript@5.7')),
      install(...NEST_11),
      required(npm('install', '--save-dev', '@peculiar/x509@2')),
      addCode(),
      npm('run', 'build'),
      ...compileAndStart('nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }),
      ...compileAndStart('node16', { module: 'node16', moduleResolution: 'node16' }),
      ...compileAndStart('commonjs', { module: 'commonjs', moduleResolution: 'node10', baseUrl: './' }),
    ],
  },
  nx(22),
  ...packageManagers(),
  ...bundles(),
  ...['20.19', '22.12', '24'].flatMap((node) => [
    { name: `receiving-nest-11-node-${node}`, node, steps: receiving(11) },
    { name: `receiving-nest-12-node-${node}`, node, steps: receiving(12) },
    { name: `nest-11-node-${node}`, node, steps: nest11Starter },
  ]),
];

/** The consumers of --short. */
export const SHORT = ['nest-11', 'receiving'];

function nx(version) {
  return {
    name: `nx-${version}`,
    // Nx keeps a process for each workspace, and asks questions, unless these are set.
    env: { CI: 'true', NX_DAEMON: 'false', NX_NO_CLOUD: 'true' },
    steps: [
      {
        title: `create-nx-workspace@${version} --preset=nest`,
        isRequired: true,
        run: ({ execute, name, work }) =>
          execute(
            'npx',
            [
              ...['--yes', `create-nx-workspace@${version}`, name, '--preset=nest', '--appName=orders'],
              ...[
                '--docker=false',
                '--nxCloud=skip',
                '--no-interactive',
                '--packageManager=npm',
                '--skipGit',
              ],
            ],
            work,
          ),
      },
      install(...NEST_11),
      addCode({ source: 'apps/orders/src/app', test: false }),
      npx('nx', 'build', 'orders'),
      npx('nx', 'test', 'orders'),
      start('npx --no-install nx serve orders', undefined, '/api'),
    ],
  };
}
