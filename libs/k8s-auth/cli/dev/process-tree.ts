import { spawnSync } from 'node:child_process';

/** What is needed of a `ChildProcess`. */
export interface TreeRoot {
  readonly pid?: number | undefined;
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  kill(signal?: NodeJS.Signals): boolean;
}

/** Runs a program to its end. @returns whether it could be run */
type Run = (program: string, args: readonly string[]) => boolean;

const runProgram: Run = (program, args) =>
  spawnSync(program, args, { windowsHide: true }).error === undefined;

/**
 * Ends a process and those that it has started. Windows has no process groups and no SIGTERM: `taskkill /T` ends the whole
 * tree at once, whatever the signal. Elsewhere the process must be the first one of its own group.
 * @param run for specs
 */
export function endProcessTree(
  root: TreeRoot,
  signal: 'SIGTERM' | 'SIGKILL',
  platform: NodeJS.Platform = process.platform,
  run: Run = runProgram,
): void {
  if (root.pid === undefined) return;
  if (platform !== 'win32') return signalGroup(root.pid, signal);
  // Windows soon gives the ID of a process that has ended to another one.
  if (root.exitCode !== null || root.signalCode !== null) return;
  if (!run('taskkill', ['/pid', String(root.pid), '/T', '/F'])) root.kill('SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}
