import { POD_TOKEN_FILE } from '../api-server/in-cluster.js';
import { VerifierUnavailableError } from '../errors.js';
import { audiencesNamedBy, USUAL_API_SERVER_AUDIENCES } from '../jwt/jwt-claims.js';
import { readTokenFile } from '../token-file/token-file.js';
import { type Clock } from '../util/clock.js';
import { type Log } from '../util/log.js';
import { type Verdict, type Verifier, type Verify } from './verifier.js';

// How long to wait before what was not known is asked for again.
const ASK_AGAIN_MS = 10_000;

export interface ApiServerAudiencesContext {
  readonly clock: Clock;
  readonly log: Log;
  /** The issuers that the options name: an API server accepts its issuer as audience when nobody says otherwise. */
  readonly issuers: readonly string[];
  /** @default the pod's own */
  readonly podTokenFile?: string;
}

/**
 * The rule that **a service must not accept the API server's audience**, all of it. A token issued for the API server
 * opens the Kubernetes API: a service that accepted it would receive a credential that is not meant for it.
 *
 * - What counts: the usual audiences of API servers, the configured issuers, `iss` and `aud` of the pod's own API token,
 *   and what the verifier knows (its own credential, the discovered issuer).
 * - When: at startup, which fails and names the routes ({@link findMistakes}); and with every request ({@link refuse}),
 *   because startup may not know the audiences yet: the own token is missing, or the issuer not discovered. The
 *   configuration is wrong then and not the caller, so a request is answered with 503.
 * - Option `allowApiServerAudience` turns both off.
 *
 * A request costs a set lookup once the audiences are known. Until then callers pass.
 * @internal
 */
export class ApiServerAudiences {
  private known?: ReadonlySet<string>;
  private askedAtMs?: number;

  constructor(
    private readonly verifier: Pick<Verifier, 'apiServerAudiences'> | undefined,
    private readonly context: ApiServerAudiencesContext,
  ) {}

  /** @param audiences audience -> the routes that require it; none for one that only the option names */
  async findMistakes(audiences: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
    const accepted = await this.find();
    return [...audiences]
      .filter(([audience]) => accepted.has(audience))
      .map(([audience, routes]) => {
        const place = routes.length > 0 ? `audience of ${routes.join(', ')}` : "option 'audience'";
        return (
          `${place}: expected one of this service's own, but the API server accepts '${audience}' too ` +
          "(variable K8S_AUTH_AUDIENCE sets option 'audience'; option 'allowApiServerAudience' allows it)"
        );
      });
  }

  /** The same verification, but none for an audience that the API server accepts itself. */
  refuse(verify: Verify): Verify {
    return (token, audiences, connection) => {
      this.assertNone(audiences);
      const verdict = verify(token, audiences, connection);
      return this.known ? verdict : this.learnAndCheck(verdict, audiences);
    };
  }

  /** Everything that is known now. */
  async find(): Promise<ReadonlySet<string>> {
    const { issuers, podTokenFile = POD_TOKEN_FILE } = this.context;
    const ofVerifier = (await this.learn()) ?? [];
    const ofPod = await audiencesOfToken(podTokenFile);
    return new Set([...USUAL_API_SERVER_AUDIENCES, ...issuers, ...ofVerifier, ...ofPod]);
  }

  private async learn(): Promise<readonly string[] | undefined> {
    const audiences = await this.verifier?.apiServerAudiences?.();
    if (audiences) this.known = new Set(audiences);
    return audiences;
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
      await this.learn();
      if (this.includesAny(audiences)) {
        const message =
          "option 'audience' (K8S_AUTH_AUDIENCE) or @K8sAuth: the API server accepts this audience too; refusing all callers";
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
    return audiences.some((audience) => this.known?.has(audience));
  }
}

async function audiencesOfToken(file: string): Promise<readonly string[]> {
  try {
    return audiencesNamedBy((await readTokenFile(file)).claims ?? {});
  } catch {
    // Not in a pod, or in a pod without an API token: there is nothing to compare with.
    return [];
  }
}
