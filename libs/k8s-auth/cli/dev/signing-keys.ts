import { writeFileSync } from 'node:fs';
import { type LocalCluster } from '../../testing/local-cluster/local-cluster.js';

export interface SigningKeysOptions {
  readonly cluster: LocalCluster;
  /** Holds all keys, as `sa.pub` of a control plane does. */
  readonly file: string;
  /** A new key is published this long before it signs. */
  readonly leadMs: number;
  /** When omitted, rotates only on request. */
  readonly periodMs: number | undefined;
  readonly log: (line: string) => void;
  /** A new key signs from now on. */
  readonly onRotate: () => void;
}

/** Rotates the signing key of a cluster. Old keys stay valid, as in a rotation without mistakes. */
export class SigningKeys {
  readonly file: string;
  private isStopped = false;

  constructor(private readonly options: SigningKeysOptions) {
    this.file = options.file;
    this.write();
    this.scheduleNext();
  }

  async rotate(): Promise<void> {
    const { cluster, leadMs, log } = this.options;
    const kid = await cluster.publishKey();
    if (this.isStopped) return;
    this.write();
    log(`signing key ${short(kid)} published, signs in ${leadMs / 1000} s`);
    cluster.clock.schedule(leadMs, () => this.sign(kid));
  }

  stop(): void {
    this.isStopped = true;
  }

  private sign(kid: string): void {
    if (this.isStopped) return;
    this.options.cluster.signWith(kid);
    this.options.onRotate();
    this.options.log(`signing key rotated, new tokens are signed with ${short(kid)}`);
  }

  private write(): void {
    writeFileSync(this.file, this.options.cluster.publicKeysPem());
  }

  private scheduleNext(): void {
    const { cluster, periodMs } = this.options;
    if (periodMs === undefined) return;
    cluster.clock.schedule(periodMs, () => {
      if (this.isStopped) return;
      this.scheduleNext();
      void this.rotate();
    });
  }
}

function short(kid: string): string {
  return `${kid.slice(0, 8)}…`;
}
