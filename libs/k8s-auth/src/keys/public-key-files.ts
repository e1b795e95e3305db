import { ConfigurationError, VerifierUnavailableError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { type Log } from '../util/log.js';
import { OncePerMinute } from '../util/once-per-minute.js';
import { SingleFlight } from '../util/single-flight.js';
import { repeat } from '../util/timers.js';
import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { KeySet } from './key-set.js';
import { type VerificationKey } from '../jwt/verification-key.js';
import { type Readiness } from '../verifiers/token-verifier.js';
import { loadPublicKeys } from './public-keys.loader.js';

// Reading by period sees the `..data` swap of a mounted ConfigMap; watching a mounted file goes blind after the first.
const READ_PERIOD_MS = 10_000;

/**
 * The keys of some files, as the files are now or were when they last made sense. A key that is gone from them is
 * gone from here; a bad read changes nothing.
 * @internal
 */
export class PublicKeyFiles {
  private keys = new KeySet([]);
  private mistakes: readonly string[] = [];
  private readAtMs = 0;
  private stopReading = () => {};
  private readonly reading = new SingleFlight<'read', void>();
  private readonly onceAMinute: OncePerMinute;

  private constructor(
    private readonly files: readonly string[],
    private readonly context: { readonly clock: Clock; readonly log: Log },
  ) {
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  /** @throws {ConfigurationError} with every mistake in every file */
  static async open(
    files: readonly string[],
    context: { readonly clock: Clock; readonly log: Log },
  ): Promise<PublicKeyFiles> {
    const opened = new PublicKeyFiles(files, context);
    await opened.read();
    if (opened.mistakes.length > 0) {
      throw new ConfigurationError(opened.mistakes.map((mistake) => `option 'publicKeyFiles': ${mistake}`));
    }
    return opened;
  }

  /** Starts reading on the period. */
  start(): void {
    this.stop();
    this.stopReading = repeat(
      this.context.clock,
      () => READ_PERIOD_MS,
      () => this.readAndReport(),
    );
  }

  stop(): void {
    this.stopReading();
  }

  /**
   * At once where the key is known. An unknown one may be in the files by now, but however many ask, they are read
   * once a period.
   * @throws {VerifierUnavailableError} unknown, and the files made no sense when last read
   */
  candidates(header: UnverifiedHeader): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    const known = this.keys.candidates(header);
    return known.length > 0 ? known : this.candidatesAfterReading(header);
  }

  readiness(): Readiness {
    const [reason] = this.mistakes;
    return reason === undefined ? { status: 'ready' } : { status: 'degraded', reason };
  }

  private async candidatesAfterReading(header: UnverifiedHeader): Promise<readonly VerificationKey[]> {
    const ageMs = this.context.clock.monotonicMs() - this.readAtMs;
    if (ageMs >= READ_PERIOD_MS) await this.readAndReport();
    const known = this.keys.candidates(header);
    if (known.length === 0 && this.mistakes.length > 0) {
      throw new VerifierUnavailableError('public key files make no sense now', {
        retryAfterMs: READ_PERIOD_MS,
      });
    }
    return known;
  }

  private async readAndReport(): Promise<void> {
    await this.read();
    const [mistake] = this.mistakes;
    if (mistake === undefined) return;
    this.onceAMinute.run('read', () =>
      this.context.log.warn({ message: `public keys stay as they were: ${mistake}` }),
    );
  }

  private read(): Promise<void> {
    return this.reading.run('read', async () => {
      this.readAtMs = this.context.clock.monotonicMs();
      const { keys, mistakes } = await loadPublicKeys(this.files);
      if (keys) this.keys = new KeySet(keys);
      this.mistakes = mistakes ?? [];
    });
  }
}
