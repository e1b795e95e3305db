import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EXIT, UsageError } from '../command.js';
import { writeLine } from '../output.js';
import { exportRoutes } from './exported-routes.js';

export const help = `
Usage: npx nest-k8s-auth routes <file> [--module NAME]

Prints the routes of an application and the audience of each as JSON, for doctor --manifests --routes. Initializes the
module without listening, so it needs the same variables as the service. Without a cluster:

  npx nest-k8s-auth dev -- npx nest-k8s-auth routes dist/app.module.js > routes.json

Arguments:
  <file>           the compiled file that exports the root module
  --module NAME    the name of its export (default: AppModule)

Exit status: 0 success; 1 the application does not start; 2 wrong arguments.
`;

export async function run(
  args: readonly string[],
  write: (line: string) => void = writeLine,
): Promise<number> {
  const { file, name } = parse(args);
  // Nest's own log would mix with the JSON.
  const app = await NestFactory.createApplicationContext(await load(file, name), {
    logger: false,
    abortOnError: false,
  });
  try {
    write(JSON.stringify(exportRoutes(app), undefined, 2));
  } finally {
    await app.close();
  }
  return EXIT.ok;
}

async function load(file: string, name: string): Promise<Type> {
  const exported = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  const { default: commonJs } = exported as { readonly default?: Record<string, unknown> };
  const module = exported[name] ?? commonJs?.[name];
  if (typeof module !== 'function')
    throw new UsageError(`${file} does not export ${name}; --module names the export.`);
  return module as Type;
}

function parse(args: readonly string[]): { readonly file: string; readonly name: string } {
  try {
    const options = { module: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) throw new Error('expected one file');
    return { file, name: values.module ?? 'AppModule' };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
}
