import { VerifierUnavailableError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { type Log } from '../util/log.js';
import { type Readiness, type TokenVerifier, type Verdict } from './token-verifier.js';

// How long to wait before what was not known is asked for again.
const ASK_AGAIN_MS = 10_000;

/**
 * Keeps tokens that were made for the API server out, also where the boot could not tell which those are, because the
 * own token was not there yet or the issuer not discovered. Such a token opens the Kubernetes API: a service that took
 * it would see a credential that is not meant for it. The configuration is wrong then, not the caller: could not decide.
 *
 * Costs a set lookup once the audiences are known. As long as nobody can tell them, callers are let through.
 * @internal
 */
export class ApiServerAudienceFence implements TokenVerifier {
  private taken?: ReadonlySet<string>;
  private askedAtMs?: number;

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly context: { readonly clock: Clock; readonly log: Log },
  ) {}

  get kind(): string {
    return this.verifier.kind;
  }

  verify(token: string, audiences: readonly string[]): Verdict | Promise<Verdict> {
    this.assertOwn(audiences);
    const verdict = this.verifier.verify(token, audiences);
    return this.taken ? verdict : this.learnAndCheck(verdict, audiences);
  }

  hydrate(): void {
    this.verifier.hydrate();
  }

  readiness(): Readiness {
    return this.verifier.readiness();
  }

  async apiServerAudiences(): Promise<readonly string[] | undefined> {
    const audiences = await this.verifier.apiServerAudiences();
    if (audiences) this.taken = new Set(audiences);
    return audiences;
  }

  close(): Promise<void> {
    return this.verifier.close();
  }

  /** After the verdict, because verifying is what makes the own token read and the issuer known. */
  private async learnAndCheck(
    verdict: Verdict | Promise<Verdict>,
    audiences: readonly string[],
  ): Promise<Verdict> {
    const settled = await verdict;
    const nowMs = this.context.clock.monotonicMs();
    if (this.askedAtMs === undefined || nowMs - this.askedAtMs >= ASK_AGAIN_MS) {
      this.askedAtMs = nowMs;
      await this.apiServerAudiences();
      if (this.isTaken(audiences)) {
        const message =
          "option 'audience' or @K8sAuth: the API server accepts this audience too; refusing all callers";
        this.context.log.error({ message, audiences });
      }
    }
    this.assertOwn(audiences);
    return settled;
  }

  private assertOwn(audiences: readonly string[]): void {
    if (this.isTaken(audiences)) {
      throw new VerifierUnavailableError('audience of the route is one that the API server accepts itself');
    }
  }

  private isTaken(audiences: readonly string[]): boolean {
    return audiences.some((audience) => this.taken?.has(audience));
  }
}
