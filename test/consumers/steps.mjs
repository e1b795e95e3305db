import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyCode } from './pages.mjs';
import { requestPage, requestWithToken } from './started.mjs';

/** A step that runs a program in the application. */
export function command(program, ...args) {
  const shown = [program, ...args].filter((word) => word !== '--no-install').join(' ');
  return { title: shown, run: ({ execute }) => execute(program, args) };
}

export const required = (step) => ({ ...step, isRequired: true });
/** Left out by --short. */
export const long = (...steps) => steps.map((step) => ({ ...step, isLong: true }));
export const titled = (title, step) => ({ ...step, title });
export const npx = (...args) => command('npx', '--no-install', ...args);
export const npm = (...args) => command('npm', ...args);

/** The application of `nest new`, as it is. The packages are installed by the next step. */
export function generateNest(version) {
  return {
    title: `nest new (@nestjs/cli ${version})`,
    isRequired: true,
    run: ({ execute, name, work }) =>
      execute(
        'npx',
        [
          ...['--yes', `@nestjs/cli@${version}`, 'new', name, '--skip-git', '--skip-install'],
          ...['--package-manager', 'npm', '--language', 'ts'],
        ],
        work,
      ),
  };
}

/** `npm install` with the packed library and the packages that the pages name. */
export function install(...packages) {
  return {
    title: `npm install nest-k8s-auth ${packages.join(' ')}`,
    isRequired: true,
    run: ({ execute, tarball }) => execute('npm', ['install', tarball, ...packages]),
  };
}

/** Adds the code of README.md and docs/testing.md. `source`: the folder of app.module.ts; `test`: the file of the test, or false */
export function addCode({ source = 'src', test = 'test/readme.e2e-spec.ts' } = {}) {
  return {
    title: 'add the code of the pages',
    isRequired: true,
    run: async ({ application }) => {
      await copyCode({ source: join(application, source), test: test && join(application, test) });
      // A bundler includes only what the application imports.
      const { type } = JSON.parse(await readFile(join(application, 'package.json'), 'utf8'));
      const extension = type === 'module' ? '.js' : '';
      await appendFile(
        join(application, source, 'app.module.ts'),
        `\nexport { AppModule as ReadmeModule } from './readme-1${extension}';\n`,
      );
    },
  };
}

/** Starts the application, and requests its page. */
export function start(title, [program, ...args] = title.split(' '), path = '/') {
  return { title, run: (context) => requestPage(context, [program, ...args], path) };
}

/** Runs the compiled module of README.md with `dev`, and requests its route without and with a token. */
export function dev() {
  const command = 'npx nest-k8s-auth dev --audience orders --path /orders -- node dev.mjs';
  return {
    title: command,
    run: async (context) => {
      await writeFile(join(context.application, 'dev.mjs'), README_MAIN);
      await requestWithToken(context, command.replace('npx', 'npx --no-install').split(' '), '/orders');
    },
  };
}

const README_MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './dist/readme-1.js';
const app = await NestFactory.create(AppModule);
await app.listen(process.env.PORT);
`;

/** Compiles with settings of another application, such as older starters, and starts the result. */
export function compileAndStart(name, compilerOptions) {
  const outDir = `dist-${name}`;
  return [
    {
      title: `tsc with ${name}`,
      run: async ({ application, execute }) => {
        const settings = {
          compilerOptions: { ...OLD_STARTER, ...compilerOptions, outDir, rootDir: 'src' },
          include: ['src'],
          exclude: ['**/*.spec.ts'],
        };
        await writeFile(join(application, `tsconfig.${name}.json`), JSON.stringify(settings));
        await execute('npx', ['--no-install', 'tsc', '-p', `tsconfig.${name}.json`]);
      },
    },
    start(`node ${outDir}/main.js`),
  ];
}

/** What @nestjs/cli 10 and the first versions of 11 generate, without the module system. */
const OLD_STARTER = {
  declaration: true,
  removeComments: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  allowSyntheticDefaultImports: true,
  target: 'ES2023',
  sourceMap: true,
  skipLibCheck: true,
  strictNullChecks: true,
};
