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

/** The files of a mount in a pod, which are replaced while a process reads them. */
export interface MountedFiles {
  /** @param files content by name; names that were written before and are not listed now are removed */
  write(files: Readonly<Record<string, string>>, wallMs: number): void;
  /** Removes the files that were written here, and the directory itself only if it did not exist before. */
  remove(): void;
}

/**
 * A directory like that of the kubelet's AtomicWriter: every visible file is a symlink into `..data`, and `..data` is
 * swapped by a rename. So a reader sees either all old files or all new files, and never a half-written file.
 * Everything is synchronous: after a call returns, the new content is visible.
 */
export class AtomicDirectory implements MountedFiles {
  private readonly madeDirectory: boolean;

  constructor(readonly directory: string) {
    this.madeDirectory = mkdirSync(directory, { recursive: true }) !== undefined;
  }

  write(files: Readonly<Record<string, string>>, wallMs: number): void {
    const payload = mkdtempSync(join(this.directory, `..${timestamp(wallMs)}.`));
    chmodSync(payload, 0o755);
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(payload, name), content);
      // KEP-1205: readable by every user if the pod sets no user. Set explicitly, because the umask may differ.
      chmodSync(join(payload, name), 0o644);
    }
    const old = this.currentPayload();
    rmSync(join(this.directory, NEW_DATA), { force: true });
    symlinkSync(payload.slice(this.directory.length + 1), join(this.directory, NEW_DATA));
    renameSync(join(this.directory, NEW_DATA), join(this.directory, DATA));
    this.link(Object.keys(files));
    if (old !== undefined) rmSync(join(this.directory, old), { recursive: true, force: true });
  }

  remove(): void {
    if (this.madeDirectory) return rmSync(this.directory, { recursive: true, force: true });
    const payload = this.currentPayload();
    this.link([]);
    rmSync(join(this.directory, DATA), { force: true });
    if (payload !== undefined) rmSync(join(this.directory, payload), { recursive: true, force: true });
  }

  /** Creates symlinks for these names, and removes older symlinks into `..data`. */
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
