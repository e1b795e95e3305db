import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EXIT, UsageError } from '../command.js';
import { writeLine } from '../output.js';
import { exportRoutes } from './exported-routes.js';

export const help = `
Usage: npx nest-k8s-auth routes <file> [--module NAME] [--output FILE]

Prints the routes of an application, the audience of each, and the options of K8sAuthModule as JSON, for
doctor --manifests --routes. Initializes the module without listening, so it needs the same variables as the service.
Without a cluster:

  npx nest-k8s-auth dev -- npx nest-k8s-auth routes dist/app.module.js --output routes.json

Arguments:
  <file>           the compiled file that exports the root module
  --module NAME    the name of its export (default: AppModule)
  --output FILE    write the JSON to this file, because dev prints lines of its own

Exit status: 0 success; 1 the application does not start; 2 wrong arguments.
`;

export async function run(
  args: readonly string[],
  write: (line: string) => void = writeLine,
): Promise<number> {
  const { file, name, output } = parse(args);
  // Nest's own log would mix with the JSON.
  const app = await NestFactory.createApplicationContext(await load(file, name), {
    logger: false,
    abortOnError: false,
  });
  try {
    const json = JSON.stringify(exportRoutes(app), undefined, 2);
    if (output === undefined) write(json);
    else await writeFile(output, `${json}\n`);
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

function parse(args: readonly string[]) {
  try {
    const options = { module: { type: 'string' }, output: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) throw new Error('expected one file');
    return { file, name: values.module ?? 'AppModule', output: values.output };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
}
