import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MountedFiles } from './atomic-directory.js';

/** Windows refuses to replace a file that another program has open, such as a virus scanner. */
const BUSY = new Set<unknown>(['EPERM', 'EACCES', 'EBUSY']);
const MAX_TRIES = 20;
const RETRY_MS = 5;

/**
 * A directory of plain files, each replaced by a rename: a reader sees the whole old file or the whole new file.
 * Everything is synchronous: after a call returns, the new content is visible.
 */
export class ReplacedFiles implements MountedFiles {
  private readonly madeDirectory: boolean;
  private names: readonly string[] = [];

  /** @param rename for specs, to simulate a file that is in use */
  constructor(
    readonly directory: string,
    private readonly rename: (from: string, to: string) => void = renameSync,
  ) {
    this.madeDirectory = mkdirSync(directory, { recursive: true }) !== undefined;
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) this.replace(name, content);
    const names = Object.keys(files);
    for (const name of this.names) if (!names.includes(name)) rmSync(join(this.directory, name));
    this.names = names;
  }

  remove(): void {
    if (this.madeDirectory) return rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
    for (const name of this.names) rmSync(join(this.directory, name), { force: true });
    this.names = [];
  }

  private replace(name: string, content: string): void {
    const next = join(this.directory, `..${name}.${randomUUID()}`);
    const file = join(this.directory, name);
    writeFileSync(next, content);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (this.renamed(next, file)) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
    // The reader may be this process, which cannot close the file while it waits here.
    rmSync(next);
    writeFileSync(file, content);
  }

  private renamed(from: string, to: string): boolean {
    try {
      this.rename(from, to);
      return true;
    } catch (error) {
      if (BUSY.has((error as NodeJS.ErrnoException).code)) return false;
      throw error;
    }
  }
}
