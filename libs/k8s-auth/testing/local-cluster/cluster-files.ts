import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OWNER_ONLY = 0o600;

/** The files of one cluster: a directory of its own for the owner alone, gone when the cluster is closed. */
export class ClusterFiles {
  private readonly root = mkdtempSync(join(tmpdir(), 'nest-k8s-auth-'));
  private count = 0;

  /** Files may hold keys and tokens, hence 0600. @returns the path */
  write(name: string, content: string): string {
    const path = join(this.root, name);
    writeFileSync(path, content, { mode: OWNER_ONLY });
    // The mode above does not apply to a file that was there before.
    chmodSync(path, OWNER_ONLY);
    return path;
  }

  /** A path in here that nobody has used. */
  unusedPath(prefix: string): string {
    return join(this.root, `${prefix}-${++this.count}`);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
