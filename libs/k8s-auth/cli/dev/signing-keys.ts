import { createHash, createPublicKey } from 'node:crypto';
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

/** A published key. */
export interface KeyFact {
  readonly kid: string;
  /** `next`: published, and signs soon. `old`: no longer signs, but its tokens are still accepted. */
  readonly use: 'signs' | 'next' | 'old';
}

/** Rotates the signing key of a cluster. Old keys stay valid until they are dropped, as in a rotation without mistakes. */
export class SigningKeys {
  readonly file: string;
  private readonly pending = new Set<string>();
  private signing: string;
  private isStopped = false;

  constructor(private readonly options: SigningKeysOptions) {
    this.file = options.file;
    [this.signing = ''] = this.kids();
    this.write();
    this.scheduleNext();
  }

  /** The published keys, the oldest first. */
  facts(): readonly KeyFact[] {
    return this.kids().map((kid) => ({
      kid,
      use: kid === this.signing ? 'signs' : this.pending.has(kid) ? 'next' : 'old',
    }));
  }

  async rotate(): Promise<void> {
    const { cluster, leadMs, log } = this.options;
    const kid = await cluster.publishKey();
    if (this.isStopped) return;
    this.pending.add(kid);
    this.write();
    log(`signing key ${short(kid)} published, signs in ${leadMs / 1000} s`);
    cluster.clock.schedule(leadMs, () => this.sign(kid));
  }

  /**
   * Removes every key that no longer signs: from now on, its tokens are refused.
   * @throws {Error} a key is published that does not sign yet: it would be removed too
   */
  dropOld(): void {
    const { cluster, log } = this.options;
    if (this.pending.size > 0)
      throw new Error('a new key is published and signs within seconds: wait for it');
    const old = this.facts().filter(({ use }) => use === 'old');
    cluster.dropOldKeys();
    this.write();
    const names = old.map(({ kid }) => short(kid)).join(', ');
    log(old.length > 0 ? `old keys dropped: ${names}` : 'there is no old key: rotate the signing key first');
  }

  stop(): void {
    this.isStopped = true;
  }

  private sign(kid: string): void {
    this.pending.delete(kid);
    if (this.isStopped) return;
    this.options.cluster.signWith(kid);
    this.signing = kid;
    this.options.onRotate();
    this.options.log(`signing key rotated, new tokens are signed with ${short(kid)}`);
  }

  private write(): void {
    writeFileSync(this.file, this.options.cluster.publicKeysPem());
  }

  private kids(): readonly string[] {
    const blocks =
      this.options.cluster.publicKeysPem().match(/-----BEGIN[^]*?-----END PUBLIC KEY-----/g) ?? [];
    return blocks.map(kidOf);
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

/** As Kubernetes computes it: base64url(SHA-256(SubjectPublicKeyInfo)). */
function kidOf(pem: string): string {
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}

function short(kid: string): string {
  return `${kid.slice(0, 8)}…`;
}
