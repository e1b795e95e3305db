import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyCode } from './pages.mjs';
import { requestFirstPage } from './started.mjs';

const npm = (...args) => ({ command: () => ['npm', ...args] });
const npx = (...args) => ({ command: () => ['npx', '--no-install', ...args] });

/**
 * Applications of users. Each step has a title and runs a command, or a function. The configuration of the generated
 * application is never changed.
 */
export const CONSUMERS = [
  {
    name: 'nest-11',
    steps: [
      generate(11),
      {
        title: 'install',
        isRequired: true,
        command: (tarball) => ['npm', 'install', tarball, '@nestjs/axios@4', '@nestjs/config@4', 'axios'],
      },
      {
        title: 'install packages for tests',
        isRequired: true,
        ...npm('install', '--save-dev', '@peculiar/x509@2'),
      },
      { title: 'copy the code of the pages', isRequired: true, run: addCode },
      { title: 'nest build', ...npm('run', 'build') },
      { title: 'node dist/main', run: (application) => requestFirstPage(application, ['dist/main.js']) },
      { title: 'npm test', ...npm('test') },
      { title: 'npm run test:e2e', ...npm('run', 'test:e2e') },
      { title: 'npm run lint', isLong: true, ...npm('run', 'lint') },
      { title: 'nest build with webpack', isLong: true, ...npx('nest', 'build', '--builder', 'webpack') },
      {
        title: 'node dist/main of webpack',
        isLong: true,
        run: (application) => requestFirstPage(application, ['dist/main.js']),
      },
      { title: 'install swc', isLong: true, ...npm('install', '--save-dev', '@swc/cli', '@swc/core') },
      { title: 'nest build with swc', isLong: true, ...npx('nest', 'build', '--builder', 'swc') },
      {
        title: 'node dist/main of swc',
        isLong: true,
        run: (application) => requestFirstPage(application, ['dist/main.js']),
      },
    ],
  },
  {
    name: 'nest-12',
    steps: [
      generate(12),
      {
        title: 'install',
        isRequired: true,
        command: (tarball) => ['npm', 'install', tarball, '@nestjs/axios', '@nestjs/config', 'axios'],
      },
      {
        title: 'install packages for tests',
        isRequired: true,
        ...npm('install', '--save-dev', '@peculiar/x509@2'),
      },
      { title: 'copy the code of the pages', isRequired: true, run: addCode },
      { title: 'nest build', ...npm('run', 'build') },
      { title: 'node dist/main', run: (application) => requestFirstPage(application, ['dist/main.js']) },
      { title: 'npm test', ...npm('test') },
      { title: 'npm run test:e2e', ...npm('run', 'test:e2e') },
    ],
  },
];

function generate(version) {
  return {
    title: `nest new (@nestjs/cli ${version})`,
    isOutside: true,
    isRequired: true,
    command: (_, name) => [
      ...['npx', '--yes', `@nestjs/cli@${version}`, 'new', name],
      ...['--skip-git', '--package-manager', 'npm', '--language', 'ts'],
    ],
  };
}

async function addCode(application) {
  await copyCode(application);
  // A bundler includes only what the application imports.
  await appendFile(
    join(application, 'src/app.module.ts'),
    `\nexport { AppModule as ReadmeModule } from './readme-1${await extensionOf(application)}';\n`,
  );
}

/** Imports of ES modules need the extension. */
async function extensionOf(application) {
  const { default: packageJson } = await import(join(application, 'package.json'), {
    with: { type: 'json' },
  });
  return packageJson.type === 'module' ? '.js' : '';
}
