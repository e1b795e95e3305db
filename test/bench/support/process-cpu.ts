import { existsSync, readdirSync, readFileSync } from 'node:fs';

// USER_HZ. Linux shows it to programs as 100 on every architecture that Node supports.
const TICKS_PER_SECOND = 100;

/** Whether the CPU time of another process can be read. Otherwise it has to report the time itself. */
export const canReadCpu: boolean = existsSync('/proc/self/stat');

/**
 * User and system time of all threads of a process, in microseconds. The scheduler's statistics count nanoseconds; a
 * kernel without them counts in steps of 10 ms. Threads that have ended count only in the second case, so a server
 * must keep its threads while it is measured, as Node and Go do.
 * @throws {Error} the process has ended
 */
export function readCpuUs(pid: number): number {
  return readSchedulerUs(pid) ?? readTicksUs(pid);
}

function readSchedulerUs(pid: number): number | undefined {
  if (!existsSync(`/proc/${pid}/schedstat`)) return undefined;
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]),
  );
  return nanoseconds.reduce((sum, own) => sum + own, 0) / 1000;
}

function readTicksUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses, and may hold spaces. utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000_000;
}
