import { readFile } from 'node:fs/promises';
import { UsageError } from '../../command.js';
import { type ExportedRoutes } from '../../routes/exported-routes.js';

/**
 * Reads the files of `--routes`.
 * @param pairs `orders=routes.json`
 * @returns name of a workload -> the audiences of its protected routes
 * @throws {UsageError} a pair or a file is not as expected
 */
export async function readRouteAudiences(
  pairs: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const entries = pairs.map(async (pair) => {
    const [, name, file] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (name === undefined || file === undefined)
      throw new UsageError(`--routes: expected NAME=FILE, got ${pair}.`);
    return [name, await readAudiences(file)] as const;
  });
  return new Map(await Promise.all(entries));
}

async function readAudiences(file: string): Promise<readonly string[]> {
  try {
    const { routes } = JSON.parse(await readFile(file, 'utf8')) as ExportedRoutes;
    return [...new Set(routes.flatMap(({ audiences }) => audiences))];
  } catch {
    throw new UsageError(`--routes: ${file} is not a file of npx nest-k8s-auth routes.`);
  }
}
