import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const DATA = '..data';
const NEW_DATA = '..data_tmp';

/**
 * A directory as the kubelet's AtomicWriter keeps it: every visible file is a symlink into `..data`, and `..data` is
 * swapped by a rename, so that a reader sees all of the old files or all of the new ones, and never half of one.
 * Everything is synchronous: who called may count on the new content at once.
 */
export class AtomicDirectory {
  private readonly madeDirectory: boolean;

  constructor(readonly directory: string) {
    this.madeDirectory = mkdirSync(directory, { recursive: true }) !== undefined;
  }

  /** @param files content by name; names that were visible before and are not listed now go away */
  write(files: Readonly<Record<string, string>>, wallMs: number): void {
    const payload = mkdtempSync(join(this.directory, `..${timestamp(wallMs)}.`));
    chmodSync(payload, 0o755);
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(payload, name), content);
      // KEP-1205: readable for every user where the pod names none; not left to the umask.
      chmodSync(join(payload, name), 0o644);
    }
    const old = this.currentPayload();
    rmSync(join(this.directory, NEW_DATA), { force: true });
    symlinkSync(payload.slice(this.directory.length + 1), join(this.directory, NEW_DATA));
    renameSync(join(this.directory, NEW_DATA), join(this.directory, DATA));
    this.link(Object.keys(files));
    if (old !== undefined) rmSync(join(this.directory, old), { recursive: true, force: true });
  }

  /** Removes what was written here; the directory itself only if it was not there before. */
  remove(): void {
    if (this.madeDirectory) return rmSync(this.directory, { recursive: true, force: true });
    const payload = this.currentPayload();
    this.link([]);
    rmSync(join(this.directory, DATA), { force: true });
    if (payload !== undefined) rmSync(join(this.directory, payload), { recursive: true, force: true });
  }

  /** Symlinks for these names, and none for those that lead into `..data` from before. */
  private link(names: readonly string[]): void {
    for (const entry of readdirSync(this.directory, { withFileTypes: true })) {
      if (!entry.isSymbolicLink() || entry.name === DATA || names.includes(entry.name)) continue;
      const path = join(this.directory, entry.name);
      if (readlinkSync(path) === join(DATA, entry.name)) rmSync(path);
    }
    const present = readdirSync(this.directory);
    for (const name of names) {
      if (!present.includes(name)) symlinkSync(join(DATA, name), join(this.directory, name));
    }
  }

  private currentPayload(): string | undefined {
    return readdirSync(this.directory).includes(DATA) ? readlinkSync(join(this.directory, DATA)) : undefined;
  }
}

/** `2026_11_24_15_04_05`, as the kubelet names its directories. */
function timestamp(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 19).replace(/[-T:]/g, '_');
}
