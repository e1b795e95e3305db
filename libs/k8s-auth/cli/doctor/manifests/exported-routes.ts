import { readFile } from 'node:fs/promises';
import { UsageError } from '../../command.js';
import { type ExportedRoutes } from '../../routes/exported-routes.js';

/**
 * Reads the files of `--routes`.
 * @param pairs `orders=routes.json`
 * @returns name of a workload -> what its application has exported
 * @throws {UsageError} a pair or a file is not as expected
 */
export async function readExportedRoutes(
  pairs: readonly string[],
): Promise<ReadonlyMap<string, ExportedRoutes>> {
  const entries = pairs.map(async (pair) => {
    const [, name, file] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (name === undefined || file === undefined)
      throw new UsageError(`--routes: expected NAME=FILE, got ${pair}.`);
    return [name, await read(file)] as const;
  });
  return new Map(await Promise.all(entries));
}

/** @returns the audiences of all routes, each once */
export function audiencesOf({ routes }: ExportedRoutes): readonly string[] {
  return [...new Set(routes.flatMap(({ audiences }) => audiences))];
}

async function read(file: string): Promise<ExportedRoutes> {
  try {
    const exported = JSON.parse(await readFile(file, 'utf8')) as ExportedRoutes;
    audiencesOf(exported);
    return exported;
  } catch {
    throw new UsageError(`--routes: ${file} is not a file of npx nest-k8s-auth routes.`);
  }
}
