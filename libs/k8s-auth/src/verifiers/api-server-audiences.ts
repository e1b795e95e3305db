import { POD_TOKEN_FILE } from '../api-server/in-cluster.js';
import { VerifierUnavailableError } from '../errors.js';
import { audiencesNamedBy, USUAL_API_SERVER_AUDIENCES } from '../jwt/jwt-claims.js';
import { readTokenFile } from '../token-file/token-file.js';
import { type Clock } from '../util/clock.js';
import { type Log } from '../util/log.js';
import { type Verdict, type Verifier, type Verify } from './verifier.js';

// How often the verifier is asked again while it does not know the audiences.
const RETRY_PERIOD_MS = 10_000;

export interface ApiServerAudiencesContext {
  readonly clock: Clock;
  readonly log: Log;
  /** The issuers in the options. By default an API server accepts its issuer as audience. */
  readonly issuers: readonly string[];
  /** The file of the pod's own API token. @default {@link POD_TOKEN_FILE} */
  readonly podTokenFile?: string;
}

/**
 * Implements the complete rule that **a service must not accept the API server's audience**. The Kubernetes API accepts
 * a token issued for the API server, so a service that accepted such tokens would receive credentials for the Kubernetes
 * API.
 *
 * - Which audiences: the usual audiences of API servers, the configured issuers, `iss` and `aud` of the pod's own API
 *   token, and the audiences that the verifier knows (from its own credential or the discovered issuer).
 * - When: at startup, which fails and names the routes ({@link findMistakes}), and with every request ({@link refuse}).
 *   The check with every request is needed because the audiences may be unknown at startup: the own token is missing, or
 *   the issuer has not been discovered. Then the configuration is wrong, not the caller, so the response is 503.
 * - The option `allowApiServerAudience` disables both checks.
 *
 * A request costs one set lookup once the audiences are known. Until then requests are not refused.
 * @internal
 */
export class ApiServerAudiences {
  private known?: ReadonlySet<string>;
  private lastQueryMs?: number;

  constructor(
    private readonly verifier: Pick<Verifier, 'apiServerAudiences'> | undefined,
    private readonly context: ApiServerAudiencesContext,
  ) {}

  /** @param audiences audience -> the routes that require it; an empty list if only the option names the audience */
  async findMistakes(audiences: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
    const accepted = await this.find();
    return [...audiences]
      .filter(([audience]) => accepted.has(audience))
      .map(([audience, routes]) => {
        const place = routes.length > 0 ? `audience of ${routes.join(', ')}` : "option 'audience'";
        return (
          `${place}: expected an audience of this service, but the API server accepts '${audience}' too ` +
          "(variable K8S_AUTH_AUDIENCE sets option 'audience'; option 'allowApiServerAudience' allows it)"
        );
      });
  }

  /** Wraps a verification. It fails if the API server accepts one of the audiences itself. */
  refuse(verify: Verify): Verify {
    return (token, audiences, connection) => {
      this.assertNone(audiences);
      const verdict = verify(token, audiences, connection);
      return this.known || !this.isQueryDue() ? verdict : this.queryAndCheck(verdict, audiences);
    };
  }

  private isQueryDue(): boolean {
    const nowMs = this.context.clock.monotonicMs();
    return this.lastQueryMs === undefined || nowMs - this.lastQueryMs >= RETRY_PERIOD_MS;
  }

  /** All audiences that are known now. */
  async find(): Promise<ReadonlySet<string>> {
    const { issuers, podTokenFile = POD_TOKEN_FILE } = this.context;
    const fromVerifier = (await this.queryVerifier()) ?? [];
    const fromPodToken = await audiencesOfToken(podTokenFile);
    return new Set([...USUAL_API_SERVER_AUDIENCES, ...issuers, ...fromVerifier, ...fromPodToken]);
  }

  private async queryVerifier(): Promise<readonly string[] | undefined> {
    const audiences = await this.verifier?.apiServerAudiences?.();
    if (audiences) this.known = new Set(audiences);
    return audiences;
  }

  /** Waits for the verdict first, because the verification may read the own token or discover the issuer. */
  private async queryAndCheck(
    verdict: Verdict | Promise<Verdict>,
    audiences: readonly string[],
  ): Promise<Verdict> {
    const settled = await verdict;
    if (this.isQueryDue()) {
      this.lastQueryMs = this.context.clock.monotonicMs();
      await this.queryVerifier();
      if (this.includesAny(audiences)) {
        const message =
          "option 'audience' (K8S_AUTH_AUDIENCE) or @K8sAuth: the API server accepts this audience too, so all requests are refused";
        this.context.log.error({ message, audiences });
      }
    }
    this.assertNone(audiences);
    return settled;
  }

  private assertNone(audiences: readonly string[]): void {
    if (this.includesAny(audiences)) {
      throw new VerifierUnavailableError('audience of the route is one that the API server accepts itself');
    }
  }

  private includesAny(audiences: readonly string[]): boolean {
    if (!this.known) return false;
    for (const audience of audiences) if (this.known.has(audience)) return true;
    return false;
  }
}

async function audiencesOfToken(file: string): Promise<readonly string[]> {
  try {
    return audiencesNamedBy((await readTokenFile(file)).claims ?? {});
  } catch {
    // Not in a pod, or in a pod without an API token.
    return [];
  }
}
