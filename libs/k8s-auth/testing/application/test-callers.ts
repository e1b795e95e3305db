import { randomUUID } from 'node:crypto';
import {
  ForbiddenPrincipalError,
  InvalidTokenError,
  type K8sAuthError,
  VerifierUnavailableError,
} from '../../src/errors.js';
import { parseServiceAccountPath } from '../../src/identity/names.js';
import { type Principal } from '../../src/identity/principal.js';
import { createTestPrincipal } from '../test-principal.js';

/** A caller in a test: a principal, or a ServiceAccount as `namespace/name`. @publicApi */
export type TestCaller = Principal | string;

/** Name and value of a request header. @publicApi */
export type TestHeader = [name: 'authorization', value: string];

/** The meaning of a test token: a caller, or the error that refuses it. @internal */
export type TestTokenMeaning = { readonly principal: Principal } | { readonly refuse: () => K8sAuthError };

const MEANINGS = Symbol.for('nest-k8s-auth:test-tokens');

/**
 * Token -> meaning. A test token is a random name without content, so only code in the same process can make one. On the
 * global object, because one process may load this module twice.
 */
function meanings(): Map<string, TestTokenMeaning> {
  const global = globalThis as { [MEANINGS]?: Map<string, TestTokenMeaning> };
  return (global[MEANINGS] ??= new Map<string, TestTokenMeaning>());
}

/** @internal */
export function createTestToken(meaning: TestTokenMeaning): string {
  const token = `test-token-${randomUUID()}`;
  meanings().set(token, meaning);
  return token;
}

/** @returns `undefined` if {@link createTestToken} of this process has not created the token @internal */
export function meaningOf(token: string): TestTokenMeaning | undefined {
  return meanings().get(token);
}

/** @throws {TypeError} the text is not `namespace/name` @internal */
export function toPrincipal(caller: TestCaller): Principal {
  if (typeof caller !== 'string') return caller;
  const path = parseServiceAccountPath(caller);
  if (!path)
    throw new TypeError(`expected a principal, or a ServiceAccount as 'namespace/name', not '${caller}'`);
  return createTestPrincipal({ namespace: path.namespace, serviceAccount: path.name });
}

function headerFor(meaning: TestTokenMeaning): TestHeader {
  return ['authorization', `Bearer ${createTestToken(meaning)}`];
}

/**
 * The header of a request that `caller` sends, for applications of `testK8sAuth`: `.set(...asCaller('shop/checkout'))`
 * with supertest, `headers: [asCaller('shop/checkout')]` with fetch, and
 * `headers: Object.fromEntries([asCaller('shop/checkout')])` with `inject` of Fastify.
 *
 * A principal with `audiences` is accepted only by routes that require one of them. A principal with `expiresAt` is
 * accepted until then. A principal without `audiences` is accepted by every route whose rules allow it.
 * @throws {TypeError} the text is not `namespace/name`
 * @publicApi
 */
export function asCaller(caller: TestCaller): TestHeader {
  return headerFor({ principal: toPrincipal(caller) });
}

/** The header of a request without credentials, also if `testK8sAuth` has a caller `as`. It is answered with 401. @publicApi */
export function asAnonymous(): TestHeader {
  return ['authorization', ''];
}

const REFUSALS = {
  401: () => new InvalidTokenError('REJECTED', 'test asked for 401'),
  403: () => new ForbiddenPrincipalError('test asked for 403'),
  503: () => new VerifierUnavailableError('test asked for 503'),
} as const;

/**
 * The header of a request that every route with `@K8sAuth` refuses: 401 as for an invalid token, 403 as for a caller that
 * no rule allows, or 503 (with `Retry-After`) as during an outage. Challenge, body and log entry are the real ones.
 * @throws {TypeError} another status
 * @publicApi
 */
export function asRefused(status: 401 | 403 | 503): TestHeader {
  const refuse = Object.hasOwn(REFUSALS, status) ? REFUSALS[status] : undefined;
  if (!refuse) throw new TypeError('expected 401, 403 or 503');
  return headerFor({ refuse });
}
