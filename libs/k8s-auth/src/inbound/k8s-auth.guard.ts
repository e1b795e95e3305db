import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type AuthorizationRule } from '../authorization/authorization-rule.js';
import { decide } from '../authorization/decide.js';
import {
  ForbiddenPrincipalError,
  UndecoratedRouteError,
  UnsupportedContextError,
  VerifierUnavailableError,
} from '../errors/index.js';
import { type Principal } from '../identity/principal.js';
import { loggable } from '../shared/log.js';
import { type TokenVerifier, type Verdict } from '../verifiers/token-verifier.js';
import { admissionOf, lastAdmissionOf, rememberAdmission } from './admission.js';
import { readBearerToken, takeAuthorizationOff } from './bearer-token.js';
import { type InboundSettings, K8S_AUTH_INBOUND_SETTINGS, K8S_AUTH_VERIFIER } from './inbound.tokens.js';
import { replacedHandlerError } from './replaced-handler.js';
import { isRefusable, toHttpException } from './refusal.js';
import { RefusalLog } from './refusal-log.js';
import { describeRoute } from './route-label.js';
import { audienceOf, routePolicyOf } from './route-policy.js';

/** What is known about a request so far; filled on the way, read when it ends in a refusal. */
interface Attempt {
  readonly context: ExecutionContext;
  token?: string;
  principal?: Principal;
}

/**
 * Lets a request through to the controller, or not: reads the token, has it verified for the route's audience, asks
 * the route's rules, in that order. Decides nothing itself; whatever goes wrong on the way refuses.
 *
 * `@K8sAuth` brings it. As `{ provide: APP_GUARD, useExisting: K8sAuthGuard }` it closes every route that has
 * neither `@K8sAuth` nor `@Public`. It runs once per request and handler, however often it is bound.
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`
 * @throws {UnsupportedContextError} the context is not HTTP
 * @publicApi
 */
@Injectable()
export class K8sAuthGuard implements CanActivate {
  constructor(
    @Inject(K8S_AUTH_VERIFIER) private readonly verifier: TokenVerifier | undefined,
    @Inject(K8S_AUTH_INBOUND_SETTINGS) private readonly settings: InboundSettings,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(RefusalLog) private readonly refusals: RefusalLog,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const attempt: Attempt = { context };
    try {
      const isAdmitted = this.examine(attempt);
      return isAdmitted === true ? true : isAdmitted.catch((error: unknown) => this.refuse(attempt, error));
    } catch (error) {
      return this.refuse(attempt, error);
    }
  }

  private examine(attempt: Attempt): true | Promise<true> {
    const { context } = attempt;
    if (context.getType() !== 'http') throw new UnsupportedContextError('context is not http');
    if (admissionOf(context)) return true;
    const policy = routePolicyOf(context.getClass(), context.getHandler());
    if (policy.kind === 'public') return true;
    if (policy.kind === 'undecorated')
      throw new UndecoratedRouteError('route has neither @K8sAuth nor @Public');
    if (policy.kind === 'replaced') throw replacedHandlerError();
    const request = context.switchToHttp().getRequest<unknown>();
    const token = lastAdmissionOf(request)?.token ?? readBearerToken(request, this.settings.maxTokenBytes);
    attempt.token = token;
    const verdict = this.verify(token, audienceOf(policy, this.settings.audience));
    // No promise where none is needed: a cached verdict should not wait for the event loop.
    if (!isThenable(verdict)) return this.admit(attempt, token, policy.rules, verdict);
    return Promise.resolve(verdict).then((settled) => this.admit(attempt, token, policy.rules, settled));
  }

  private verify(token: string, audience: string | undefined): Verdict | PromiseLike<Verdict> {
    if (!this.verifier) throw new VerifierUnavailableError('no verifier is configured');
    if (audience === undefined) throw new VerifierUnavailableError('no audience is configured');
    return this.verifier.verify(token, [audience]);
  }

  private admit(
    attempt: Attempt,
    token: string,
    rules: readonly AuthorizationRule[],
    { principal }: Verdict,
  ): true {
    // A verifier of somebody's own may be untyped: without a name there is nobody to let in.
    if (typeof principal?.username !== 'string') throw new TypeError('verdict has no principal');
    const { context } = attempt;
    attempt.principal = principal;
    for (const rule of rules) assertAllowed(rule, principal);
    const request = context.switchToHttp().getRequest<unknown>();
    takeAuthorizationOff(request);
    rememberAdmission(request, {
      routeClass: context.getClass(),
      handler: context.getHandler(),
      principal,
      token,
    });
    return true;
  }

  private refuse({ context, token, principal }: Attempt, thrown: unknown): never {
    const route = describeRoute(context);
    if (thrown instanceof UnsupportedContextError) {
      this.refusals.record({ error: thrown, route });
      throw thrown;
    }
    const isForeseen = isRefusable(thrown);
    // Not as the cause: nobody knows what an unforeseen error holds. Its words are in the log, without the token.
    const error = isForeseen ? thrown : new VerifierUnavailableError('request could not be decided');
    this.refusals.record({ error, route, token, principal, ...(!isForeseen && { unforeseen: { thrown } }) });
    throw toHttpException(error, this.adapterHost.httpAdapter, context.switchToHttp().getResponse());
  }
}

function isThenable(verdict: Verdict | PromiseLike<Verdict>): verdict is PromiseLike<Verdict> {
  return typeof (verdict as { then?: unknown } | undefined)?.then === 'function';
}

/** @throws {ForbiddenPrincipalError} for anything but an explicit yes */
function assertAllowed(rule: AuthorizationRule, principal: Principal): void {
  const outcome = decide(rule, principal);
  if (outcome.kind === 'allowed') return;
  throw new ForbiddenPrincipalError(
    loggable(`rule ${rule.name || 'without a name'} refused: ${outcome.reason}`),
    outcome.kind === 'undecided' ? { cause: outcome.cause } : undefined,
  );
}
