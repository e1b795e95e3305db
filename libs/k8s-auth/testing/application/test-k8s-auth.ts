import { ApplicationConfig } from '@nestjs/core';
import { k8sAuthConfig } from '../../src/config/k8s-auth.config.js';
import { type CheckedOptions, type K8sAuthOptions } from '../../src/config/options.js';
import { K8S_AUTH_VERIFIER } from '../../src/inbound/inbound.constants.js';
import { K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_OPTIONS } from '../../src/k8s-auth.providers.js';
import { K8sAuthTokenSource } from '../../src/outbound/k8s-auth-token-source.js';
import { type Clock, K8S_AUTH_CLOCK } from '../../src/util/clock.js';
import { k8sAuthLog } from '../../src/util/log.js';
import { DefaultCallerGuard } from './default-caller.guard.js';
import { type TestCaller, toPrincipal } from './test-callers.js';
import { type SuppliedToken, TestTokenSource } from './test-token-source.js';
import { TestVerifier } from './test-verifier.js';

/** The part of the `TestingModuleBuilder` of @nestjs/testing that {@link testK8sAuth} uses. @publicApi */
export interface OverridableBuilder {
  overrideProvider(token: unknown): {
    useValue(value: unknown): unknown;
    useFactory(options: { factory: (...args: never[]) => unknown; inject?: unknown[] }): unknown;
  };
}

/** Options of {@link testK8sAuth}. @publicApi */
export interface TestK8sAuthOptions {
  /**
   * The caller of every request that has no `Authorization` header. {@link asCaller} and {@link asAnonymous} override it for
   * one request.
   * @default none: such a request is refused with 401
   */
  readonly as?: TestCaller;

  /**
   * The identity of this service in its own calls.
   * @default 'default/default'
   */
  readonly self?: TestCaller;

  /**
   * Replaces the options of every `forRoot` and `forRootAsync`, whose factories are not called then. For applications
   * whose own factory needs an environment, and to send calls to other destinations.
   * @default none: the options of the application apply. In place of `k8sAuthConfig`, which would read the environment:
   *   any verifier, and `audience: 'test'`
   */
  readonly options?: K8sAuthOptions;
}

// Passes the check of the options. No verifier is created from it.
const ANY_VERIFIER: K8sAuthOptions = { verifier: { kind: 'oidc-discovery' } };

/**
 * Prepares the testing module of a real application: its own `AppModule` starts without a cluster, keys, token files and
 * environment. Everything but the origin of the tokens is real: startup checks, audiences, rules, challenges, the refusal
 * log and readiness. Callers are named by `as` and by the headers of {@link asCaller}, {@link asAnonymous} and
 * {@link asRefused}. Calls of this service carry test tokens, see {@link suppliedTokens}.
 *
 * It cannot be switched on in production: it changes only the builder that it gets, which @nestjs/testing creates. There
 * is no module to import, and no option or variable. Test tokens are random and valid only in the process that made them.
 * @returns the same builder
 * @throws {TypeError} the argument is not a builder that has yet to compile
 * @publicApi
 */
export function testK8sAuth<Builder extends OverridableBuilder>(
  builder: Builder,
  { as, self = 'default/default', options }: TestK8sAuthOptions = {},
): Builder {
  if (typeof (builder as Partial<Builder> | undefined)?.overrideProvider !== 'function')
    throw new TypeError(
      'testK8sAuth: expected the result of Test.createTestingModule(...), before compile()',
    );
  const defaultCaller = as === undefined ? undefined : new DefaultCallerGuard(toPrincipal(as));
  const own = toPrincipal(self);
  const supplied: SuppliedToken[] = [];
  const replaced = options && { ...ANY_VERIFIER, ...options };
  if (replaced) builder.overrideProvider(K8S_AUTH_OPTIONS).useValue(replaced);
  builder.overrideProvider(k8sAuthConfig.KEY).useValue(replaced ?? { ...ANY_VERIFIER, audience: 'test' });
  builder.overrideProvider(K8S_AUTH_VERIFIER).useFactory({
    inject: [K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_CLOCK, ApplicationConfig],
    factory: (checked: CheckedOptions, clock: Clock, config: ApplicationConfig) => {
      // Before the guard of the route table, which is added after the verifier is created.
      if (defaultCaller) config.addGlobalGuard(defaultCaller);
      // As in production: a route with `@K8sAuth` fails startup if there is no verifier.
      return checked.definition && new TestVerifier(clock, k8sAuthLog);
    },
  });
  builder.overrideProvider(K8sAuthTokenSource).useFactory({
    inject: [K8S_AUTH_CHECKED_OPTIONS, K8S_AUTH_CLOCK],
    factory: (checked: CheckedOptions, clock: Clock) =>
      new TestTokenSource(checked.options.destinations ?? [], { clock, log: k8sAuthLog }, own, supplied),
  });
  return builder;
}

/**
 * The tokens that an application of {@link testK8sAuth} has supplied for its own calls, in order: destination and
 * audience, never the token. The list grows with each request. Set its `length` to 0 to empty it. Origins that are not
 * destinations get no token, so they are not in the list.
 * @param app the application or its testing module
 * @throws {TypeError} `testK8sAuth` has not prepared the application
 * @publicApi
 */
export function suppliedTokens(app: {
  get(token: typeof K8sAuthTokenSource, options: { strict: false }): unknown;
}): SuppliedToken[] {
  const source = app.get(K8sAuthTokenSource, { strict: false });
  if (!(source instanceof TestTokenSource))
    throw new TypeError('suppliedTokens: expected an application of testK8sAuth');
  return source.supplied;
}
