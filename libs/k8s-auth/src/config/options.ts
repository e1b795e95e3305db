import { type Type } from '@nestjs/common';
import * as z from 'zod';
import { type DestinationOptions, destinationsSchema } from '../outbound/destinations.options.js';
import {
  type AnyVerifierDefinition,
  findVerifierDefinition,
  verifierKinds,
  type VerifierOptions,
} from '../verifiers/index.js';
import { ConfigurationError } from '../errors.js';
import { EVENT_NAMES, type K8sAuthListener } from '../events/event-types.js';
import { AUDIENCE_RULE, readAudiences } from '../identity/names.js';
import { describeIssue, type OptionMistake, toMistakes } from './option-mistakes.js';

/**
 * The options of `K8sAuthModule.forRoot` and of the factory of `forRootAsync`. At least one of `verifier` (to receive
 * calls) and `destinations` (to make calls) is required. The options are checked at startup: a `ConfigurationError`
 * lists every mistake.
 * @publicApi
 */
export interface K8sAuthOptions {
  /** How the tokens of callers are verified. Omit it in a service that only calls others. */
  readonly verifier?: VerifierOptions;

  /**
   * The audience that `@K8sAuth()` without an argument requires. With a list, a token issued for any entry is accepted,
   * so that a service can be renamed without downtime.
   * @default none: each `@K8sAuth` must then name its audience
   */
  readonly audience?: string | readonly string[];

  /**
   * Allows a route to require an audience that the API server itself accepts. The Kubernetes API accepts such a token
   * too, so every service that receives it can act as the caller.
   * @default false
   */
  readonly allowApiServerAudience?: boolean;

  /**
   * Controllers of other packages that you cannot decorate, and whose routes are open although `K8sAuthGuard` is the
   * `APP_GUARD`: a list of classes, or a function that returns `true` for them. It has the effect of `@Public` on each
   * route without a decorator of this library. It opens no subclass, no protected route and no message handler. Startup
   * fails if a listed class is not a registered controller, or has no route to open.
   * @default none: a route without `@K8sAuth` and `@Public` is refused
   */
  readonly publicControllers?: readonly Type[] | ((controller: Type) => boolean);

  /**
   * With `false`, the routes of this module verify each request as always, but a request that would be refused is only
   * logged and counted, and then passes. **Every caller may use every route.** Use it while the callers of an existing
   * service do not all send tokens yet. Startup warns and names the routes. `@EnforceK8sAuth` overrides it for a route.
   * Requests whose handler the library cannot identify are still refused.
   * @default true
   */
  readonly enforce?: boolean;

  /**
   * The services that this service calls with a token, and the token file for each. Requests to all other origins carry
   * no token.
   * @default none
   */
  readonly destinations?: readonly DestinationOptions[];

  /**
   * The maximum length of a token, in bytes. A longer token is rejected. Node accepts at most 16384 bytes of headers by
   * default.
   * @default 8192
   * @minimum 1024
   * @maximum 16384
   */
  readonly maxTokenBytes?: number;

  /**
   * What happens to WebSockets, subscriptions and streams of gRPC when the token of their caller expires.
   * - `close-at-expiry`: the connection is closed. The client connects again with its current token.
   * - `stay-open`: messages are refused after the expiry, but the service can still send to the client.
   * @default 'close-at-expiry'
   */
  readonly longLivedConnections?: 'close-at-expiry' | 'stay-open';

  /**
   * Functions that are called when a request was accepted or refused, when public keys could not be fetched again, and when
   * a token file of this service contains a new token. They never change a verdict, and get no token text.
   * {@link K8sAuthEvents} adds further listeners.
   * @default none
   */
  readonly events?: K8sAuthListener;

  /**
   * Logs one line for each accepted and each refused request, with the caller and the ID of its token as in the audit log of
   * the API server. The lines are never suppressed, so their number grows with the number of requests.
   * @default false
   */
  readonly auditLog?: boolean;
}

export const DEFAULT_MAX_TOKEN_BYTES = 8192;

const audience = z.custom<string | readonly string[]>(
  (value) => readAudiences(value) !== undefined,
  `expected ${AUDIENCE_RULE}`,
);

const EXPECTED_CONTROLLERS =
  'expected a list of controller classes, or a function that returns true or false';

const publicControllers = z.custom<NonNullable<K8sAuthOptions['publicControllers']>>(
  (value) =>
    Array.isArray(value) ? Array.from(value).every(isClass) : typeof value === 'function' && !isClass(value),
  EXPECTED_CONTROLLERS,
);

/** A class instead of a list would be called as a function. Classes that are compiled to functions have methods. */
function isClass(value: unknown): boolean {
  if (typeof value !== 'function') return false;
  const { prototype } = value as { readonly prototype?: unknown };
  const hasMethods = typeof prototype === 'object' && Object.getOwnPropertyNames(prototype ?? {}).length > 1;
  return hasMethods || /^class\b/.test(Function.prototype.toString.call(value));
}

const events = z.custom<K8sAuthListener>(
  isListener,
  `expected an object with functions of the names ${EVENT_NAMES.join(', ')}`,
);

/** It may be an instance of a class with other members, but a name such as `onReject` is a mistake. */
function isListener(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const functions: Readonly<Record<string, unknown>> = value as Record<string, unknown>;
  const given = EVENT_NAMES.filter((name) => functions[name] !== undefined);
  const names: readonly string[] = EVENT_NAMES;
  return (
    given.length > 0 &&
    given.every((name) => typeof functions[name] === 'function') &&
    Object.keys(value).every((name) => names.includes(name) || !/^on[A-Z]/.test(name))
  );
}

const schema = z.strictObject({
  // Checked by the schema of its kind, see findVerifierMistakes. A union would report one mistake once for each kind.
  verifier: z.unknown().optional(),
  audience: audience.optional(),
  allowApiServerAudience: z.boolean().optional(),
  publicControllers: publicControllers.optional(),
  enforce: z.boolean().optional(),
  destinations: destinationsSchema.optional(),
  maxTokenBytes: z.int().min(1024).max(16384).optional(),
  longLivedConnections: z.enum(['close-at-expiry', 'stay-open']).optional(),
  events: events.optional(),
  auditLog: z.boolean().optional(),
});

/**
 * Every mistake in the options. No message contains a configured value.
 * @internal
 */
export function findOptionMistakes(options: unknown): OptionMistake[] {
  const mistakes = toMistakes(schema.safeParse(options, { error: describeIssue }).error);
  if (typeof options !== 'object' || options === null) return mistakes;
  const { verifier, destinations } = options as K8sAuthOptions;
  if (verifier === undefined && destinations === undefined) {
    mistakes.push({ path: '', message: "expected 'verifier', 'destinations' or both" });
  }
  if (verifier !== undefined) mistakes.push(...findVerifierMistakes(verifier));
  return mistakes;
}

function findVerifierMistakes(verifier: unknown): OptionMistake[] {
  const definition = findVerifierDefinition((verifier as { kind?: unknown } | null)?.kind);
  return definition
    ? toMistakes((definition.schema as z.ZodType).safeParse(verifier, { error: describeIssue }).error, [
        'verifier',
      ])
    : [{ path: 'verifier.kind', message: `expected one of ${verifierKinds.join(', ')}` }];
}

/** Checked options, and the definition of their verifier. @internal */
export interface CheckedOptions {
  readonly options: K8sAuthOptions;
  readonly definition: AnyVerifierDefinition | undefined;
}

/** @throws {ConfigurationError} with every mistake; each mistake names its option @internal */
export function checkOptions(options: K8sAuthOptions): CheckedOptions {
  const mistakes = findOptionMistakes(options);
  if (mistakes.length > 0) {
    throw new ConfigurationError(
      mistakes.map(({ path, message }) => (path === '' ? message : `option '${path}': ${message}`)),
    );
  }
  return { options, definition: options.verifier && findVerifierDefinition(options.verifier.kind) };
}
