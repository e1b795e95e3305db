import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a function of receiver.process.mjs in an application. @returns its output */
export async function run(application: string, call: string): Promise<string> {
  const code = `import('./receiver.process.mjs').then(({ receive, send, call }) => ${call})`;
  const program = ['--input-type=commonjs', '--eval', code];
  return (await promisify(execFile)(process.execPath, program, { cwd: application })).stdout;
}

/** Packages that Nest requires only if an application uses them. */
const OPTIONAL_IN_NEST = [
  '@nestjs/websockets*',
  '@nestjs/microservices*',
  'class-validator',
  'class-transformer',
];

/** Makes one file of the service and everything that it loads. */
export async function bundle(application: string, load: string): Promise<void> {
  const names = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'nest-k8s-auth'];
  const loads = names.map((name, index) =>
    load === 'import' ? `import * as n${index} from '${name}';` : `const n${index} = require('${name}');`,
  );
  const packages = names.map((name, index) => `'${name}': n${index}`);
  const contents = `${loads.join('')} import { receive } from './receiver.process.mjs';
    const packages = { ${packages.join()} };
    receive((name) => packages[name]);`;
  await build({
    absWorkingDir: application,
    stdin: { contents, resolveDir: application },
    bundle: true,
    platform: 'node',
    outfile: 'bundle.cjs',
    external: OPTIONAL_IN_NEST,
    logLevel: 'error',
  });
}
