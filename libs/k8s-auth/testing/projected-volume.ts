import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock } from '../src/util/clock.js';
import { type MountedFiles } from './atomic-directory.js';
import { mountFiles } from './mount-files.js';

export interface ProjectedVolumeOptions {
  readonly directory: string;
  /** Name of the token's file. */
  readonly path: string;
  readonly expirationSeconds: number;
  /** Creates the next token. @throws {Error} no token can be issued: the old one stays */
  readonly issue: () => string;
  readonly clock: Clock;
  /** Rotate automatically; only on request when `false`. @default true */
  readonly autoRotate?: boolean;
  /** Called after every swap except the first. */
  readonly onRotate?: (rotation: Rotation) => void;
}

export interface Rotation {
  /** 1 for the first swap. */
  readonly count: number;
  readonly expiresAtMs: number;
}

// The kubelet replaces a token at 80 % of its lifetime, and at the latest after one day (pkg/kubelet/token).
const ROTATE_AT_SHARE = 0.8;
const LONGEST_AGE_MS = 24 * 3_600_000;
// The kubelet checks a pod's volumes about once a minute, so it tries again at this interval.
const RETRY_MS = 60_000;

/**
 * A projected ServiceAccount token as the kubelet mounts it: a file that changes by a `..data` swap while the process
 * that reads it keeps running. On Windows, the file is replaced by a rename instead.
 */
export class ProjectedVolume {
  private readonly files: MountedFiles;
  private cancelTimer: () => void = () => undefined;
  private swaps = 0;
  private isClosed = false;

  /** Writes the first token. */
  constructor(private readonly options: ProjectedVolumeOptions) {
    const token = options.issue();
    this.files = mountFiles(options.directory);
    this.write(token);
  }

  get directory(): string {
    return this.options.directory;
  }

  /** The path that a pod mounts, and that `tokenFile` options name. */
  get tokenFile(): string {
    return join(this.options.directory, this.options.path);
  }

  /** The token that the file holds now. */
  current(): string {
    return readFileSync(this.tokenFile, 'utf8');
  }

  /**
   * Replaces the token now; the next rotation is due a full lifetime later. @throws {Error} no token could be issued
   */
  rotate(): void {
    if (this.isClosed) return;
    this.write(this.options.issue());
    this.options.onRotate?.({
      count: ++this.swaps,
      expiresAtMs: this.options.clock.wallMs() + this.lifeMs,
    });
  }

  /** Stops the rotation and removes what was written. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelTimer();
    this.files.remove();
  }

  private get lifeMs(): number {
    return this.options.expirationSeconds * 1000;
  }

  private write(token: string): void {
    this.files.write({ [this.options.path]: token }, this.options.clock.wallMs());
    this.schedule(Math.min(this.lifeMs * ROTATE_AT_SHARE, LONGEST_AGE_MS));
  }

  private schedule(delayMs: number): void {
    this.cancelTimer();
    if (this.options.autoRotate === false) return;
    this.cancelTimer = this.options.clock.schedule(delayMs, () => {
      try {
        this.rotate();
      } catch {
        // As the kubelet does: the old token stays in place, expired or not.
        this.schedule(Math.min(RETRY_MS, this.lifeMs * (1 - ROTATE_AT_SHARE) * 0.5));
      }
    });
  }
}
