import { type AuthorizationRule, decide } from '../../authorization/rules.js';
import { ForbiddenPrincipalError, VerifierUnavailableError } from '../../errors.js';
import { type Principal } from '../../identity/principal.js';
import { loggable } from '../../util/log.js';
import { type CallerConnection, type Verdict } from '../../verifiers/verifier.js';
import { type InboundRoot, type Route, type RoutePolicy } from '../routes/route.js';
import { checkBearerSyntax } from './bearer-token.js';
import { type RefusedRequest, refuse } from './refusal.js';

/** What is known about a request so far. Each step adds to it; a refusal reads it. */
export type Progress = { -readonly [Field in keyof RefusedRequest]: RefusedRequest[Field] };

/**
 * Verifies a token for the audiences of a route.
 * @returns synchronously when the verifier does
 * @internal
 */
export function verifyFor(
  token: string,
  { audiences }: Route,
  root: InboundRoot,
  connection: CallerConnection,
): Verdict | PromiseLike<Verdict> {
  // Startup has checked both. In a TokenReview, an empty list means the API server's own audiences.
  if (!root.verify || audiences.length === 0)
    throw new VerifierUnavailableError('route has no verifier or no audience');
  return root.verify(token, audiences, connection);
}

/**
 * Asks the rules of a route about the principal of a verdict.
 * @throws {ForbiddenPrincipalError} unless every rule explicitly allows the principal
 * @internal
 */
export function checkPrincipal(progress: Progress, policy: RoutePolicy, principal: Principal): void {
  // A custom verifier may be written in JavaScript: without a username there is no caller to accept.
  if (typeof (principal as Principal | undefined)?.username !== 'string')
    throw new TypeError('verdict has no principal');
  progress.principal = principal;
  if (policy.kind !== 'protected') return;
  for (const rule of policy.rules) assertAllowed(rule, principal);
}

/** Malformed credentials are malformed whatever the verifier says about them, an outage included. @internal */
export function refuseChecked(root: InboundRoot, progress: Progress, error: unknown): true {
  try {
    if (progress.token !== undefined) checkBearerSyntax(progress.token);
  } catch (malformed) {
    return refuse(root, progress, malformed);
  }
  return refuse(root, progress, error);
}

/** @internal */
export function isThenable(verdict: Verdict | PromiseLike<Verdict>): verdict is PromiseLike<Verdict> {
  return typeof (verdict as { then?: unknown } | undefined)?.then === 'function';
}

/** @throws {ForbiddenPrincipalError} unless the rule explicitly allows the principal */
function assertAllowed(rule: AuthorizationRule, principal: Principal): void {
  const outcome = decide(rule, principal);
  if (outcome.kind === 'allowed') return;
  throw new ForbiddenPrincipalError(
    loggable(`rule ${rule.name || 'without a name'} refused: ${outcome.reason}`),
  );
}
