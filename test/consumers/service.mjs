import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ROOT } from '../../scripts/demo/root.mjs';

const NEST = { 11: '^11.0.0', 12: '^12.0.0' };
/** What a service that only receives requests needs beside the library. */
const required = (nest) => ({
  '@nestjs/common': NEST[nest],
  '@nestjs/core': NEST[nest],
  '@nestjs/platform-express': NEST[nest],
  'reflect-metadata': '^0.2.0',
  rxjs: '^7.8.0',
});
/** What a service needs that also calls others and reads its options from the environment. */
const optional = (nest) => ({
  '@nestjs/axios': nest === 11 ? '^4.0.0' : '^12.0.0',
  '@nestjs/config': nest === 11 ? '^4.0.0' : '^12.0.0',
  axios: '^1.17.0',
});

/** Creates a small service that verifies tokens with a key file. @param {{ nest: 11 | 12, isComplete?: boolean }} options */
export function createService({ nest, isComplete = false }) {
  return {
    title: `create a service with Nest ${nest}${isComplete ? ' and the optional packages' : ''}`,
    isRequired: true,
    run: async ({ application, tarball }) => {
      await mkdir(application, { recursive: true });
      const dependencies = {
        ...required(nest),
        ...(isComplete && optional(nest)),
        'nest-k8s-auth': `file:./${basename(tarball)}`,
      };
      const packageJson = {
        name: 'service',
        version: '1.0.0',
        private: true,
        license: 'UNLICENSED',
        dependencies,
      };
      await copyFile(tarball, join(application, basename(tarball)));
      await writeFile(join(application, 'package.json'), JSON.stringify(packageJson));
      const program = 'receiver.process.mjs';
      await copyFile(join(ROOT, 'test/support', program), join(application, program));
    },
  };
}

/** Runs the service, which prints 401 and 200. @param {'import' | 'require'} load how it loads the library */
export function runService(load, [program, ...args] = ['node']) {
  return {
    title: `receive with ${load}: 401, 200`,
    run: async ({ execute, application }) => {
      const file = `service-${load}.cjs`;
      const code = `import('./receiver.process.mjs').then(({ receive }) => receive((name) => ${load}(name)));\n`;
      await writeFile(join(application, file), code);
      expectOutput(await execute(program, [...args, file]));
    },
  };
}

/** @throws {Error} the service has not answered 401 without, and 200 with a token */
export function expectOutput(output) {
  if (!/^401\n200$/m.test(output.replaceAll('\r', '')))
    throw new Error(`expected 401 and 200, got:\n${output}`);
}
