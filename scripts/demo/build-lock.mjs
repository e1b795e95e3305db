import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ROOT } from './root.mjs';

const LOCK = join(ROOT, 'node_modules/.cache/demo-build.lock');

/** Waits until no other process builds. Ignores a lock whose process has ended. @returns a function that unlocks */
export async function lockBuild() {
  await mkdir(dirname(LOCK), { recursive: true });
  for (;;) {
    try {
      await writeFile(LOCK, String(process.pid), { flag: 'wx' });
      return () => rm(LOCK);
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = await readFile(LOCK, 'utf8').catch(() => '');
    // If the file is empty or was deleted in the meantime, the next iteration tries again.
    if (holder !== '' && !isAlive(Number(holder))) await rm(LOCK, { force: true });
    await setTimeout(100);
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
