import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Servers run on one core, and everything that sends requests to them on the other. */
export type Role = 'server' | 'load';

const cores = findCores();

/** For the report. */
export const pinning: string = cores
  ? `servers on core ${cores.server}, load on core ${cores.load}`
  : 'not pinned';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** The command that runs on the core of `role`. Without `taskset` or a second core, the command as it is. */
export function pin(role: Role | undefined, { command, args }: Command): Command {
  if (!cores || !role) return { command, args };
  return { command: 'taskset', args: ['-c', String(cores[role]), command, ...args] };
}

function findCores(): Readonly<Record<Role, number>> | undefined {
  const status = '/proc/self/status';
  if (!existsSync(status) || spawnSync('taskset', ['--version']).status !== 0) return undefined;
  // A container may use only some cores of the machine.
  const [, allowed = ''] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(status, 'utf8')) ?? [];
  const [server, load] = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return server === undefined || load === undefined ? undefined : { server, load };
}
