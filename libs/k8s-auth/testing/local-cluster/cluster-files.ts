import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OWNER_ONLY = 0o600;

/** The files of one cluster, in a directory that only its owner can read and that `close` deletes. */
export class ClusterFiles {
  private readonly root = mkdtempSync(join(tmpdir(), 'nest-k8s-auth-'));
  private count = 0;

  /** Files may hold keys and tokens, hence 0600. @returns the path */
  write(name: string, content: string): string {
    const path = join(this.root, name);
    writeFileSync(path, content, { mode: OWNER_ONLY });
    // The mode above does not apply to a file that already exists.
    chmodSync(path, OWNER_ONLY);
    return path;
  }

  /** An unused path in this directory. */
  unusedPath(prefix: string): string {
    return join(this.root, `${prefix}-${++this.count}`);
  }

  remove(): void {
    // Windows refuses to delete a file that another program has open.
    rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}
