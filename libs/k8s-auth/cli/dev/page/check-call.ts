import { optionsFromEnvironment } from '../../../src/config/environment.js';
import { DEFAULT_MAX_TOKEN_BYTES } from '../../../src/config/options.js';
import { readAudiences } from '../../../src/identity/names.js';
import { type Clock } from '../../../src/util/clock.js';
import { type Explanation, explainToken } from '../../explain/explain-token.js';
import { SILENT_LOG } from '../../silent-log.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Makes the checks of `npx nest-k8s-auth explain` for tokens of calls, one token after the other: with the variables of the
 * service, and with a credential of its own, so that its requests to the API server are not counted as the service's.
 */
export class CallChecks {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly environment: () => Environment,
    private readonly clock: Clock,
  ) {}

  /** @returns `undefined` if the checks cannot be made, for example because a variable is wrong */
  check(token: string, audience: string): Promise<Explanation | undefined> {
    const result = this.last.then(() => this.explain(token, audience)).catch(() => undefined);
    this.last = result;
    return result;
  }

  private explain(token: string, audience: string): Promise<Explanation> {
    const environment = this.environment();
    const { options } = optionsFromEnvironment(environment);
    return explainToken(
      {
        token,
        audiences: readAudiences(options.audience ?? audience) ?? [audience],
        verifier: options.verifier,
        maxTokenBytes: options.maxTokenBytes ?? DEFAULT_MAX_TOKEN_BYTES,
      },
      { clock: this.clock, log: SILENT_LOG, environment },
    );
  }
}

/** What the service has done: its status, and the code in its log. */
export interface ServiceOutcome {
  readonly status: number | undefined;
  readonly code: string | undefined;
}

/** Why the service has answered otherwise than these checks, which were made afterwards and from the beginning. */
export function noteAbout({ status, code }: ServiceOutcome, { outcome }: Explanation): string | undefined {
  if (status === undefined || outcome.status === undefined) return undefined;
  if (outcome.kind === 'accepted') return noteAboutAccepted(status);
  if (status < 400)
    return `The service has answered ${status}: it still has the keys, or an earlier verdict, in memory. ${FROM_START}`;
  if (status !== outcome.status) return `The service has answered ${status}. ${FROM_START}`;
  return code === undefined || code === outcome.code
    ? undefined
    : `The service names ${code}: it has keys in memory that a verifier does not have when it starts. ${FROM_START}`;
}

const FROM_START = 'These checks were made afterwards, from the beginning.';

function noteAboutAccepted(status: number): string | undefined {
  if (status === 403)
    return 'The token is accepted. A rule of the route refuses its holder, so the answer is 403.';
  return status < 400 ? undefined : `The service has answered ${status}. ${FROM_START}`;
}
