import { type K8sAuthError } from '../../errors.js';
import { type EventCaller } from '../../events/event-types.js';
import { type Principal } from '../../identity/principal.js';
import { type Clock } from '../../util/clock.js';
import { type Log, type LogEvent, loggable, joinErrorMessages } from '../../util/log.js';
import { readUnverifiedClaims } from '../../jwt/jwt-claims.js';
import { K8sAuthWouldRefuseCounts } from './would-refuse-counts.js';

/** A refused request. */
export interface RefusalEntry {
  readonly error: K8sAuthError;
  /** `false`: the request passes, because its route is not enforced. @default true */
  readonly enforce?: boolean | undefined;
  /** A pattern from describeRoute, never a URL. */
  readonly route: string;
  /** Only used to read the unverified name of the caller. The token itself is never logged. */
  readonly token?: string;
  /** The verified caller; absent if the token was not accepted. */
  readonly principal?: Principal;
  /** A thrown value that is not an error of this library; logged with its stack. */
  readonly unexpected?: { readonly thrown: unknown };
}

/** Counts the refusals with one code and route, for one minute from the first of them. */
interface RefusalCounter {
  /** Absent for {@link OTHER_ROUTES}, the counter that the remaining codes and routes share. */
  readonly code?: string;
  readonly route: string;
  /** The requests have passed. */
  readonly enforced?: false;
  seen: number;
  readonly cancel: () => void;
}

const MINUTE_MS = 60_000;
/** Enough lines to see a pattern, and few enough that a flood of refusals does not fill a disk. */
const MAX_LINES_PER_MINUTE = 20;
/** The number of codes times the number of routes of a large service. */
const MAX_COUNTERS = 1_000;
const OTHER_ROUTES = '(other routes)';

/**
 * Logs why requests were refused: one line for each request, and in a flood one line a minute with the number of the
 * other requests. Text from callers is logged only if it is a short name of safe characters.
 * @internal
 */
export class RefusalLog {
  readonly wouldRefuse = new K8sAuthWouldRefuseCounts();
  private readonly counters = new Map<string, RefusalCounter>();
  private readonly clock: Clock;
  private readonly log: Log;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.clock = clock;
    this.log = log;
  }

  record(refusal: RefusalEntry): void {
    const { error, route, enforce } = refusal;
    if (enforce === false) this.wouldRefuse.add(route, error.code);
    const counter = this.counterOf({
      code: error.code,
      route,
      ...(enforce === false && { enforced: false }),
    });
    counter.seen++;
    if (counter.seen > MAX_LINES_PER_MINUTE) return;
    this.log.warn(toEvent(refusal));
  }

  /** Stops the timers, and logs now what they would have logged. */
  close(): void {
    for (const [key, counter] of this.counters) {
      counter.cancel();
      this.endCounter(key, counter);
    }
  }

  private counterOf(topic: { code: string; route: string; enforced?: false }): RefusalCounter {
    const key = `${topic.code} ${topic.route}`;
    const known = this.counters.get(key);
    if (known) return known;
    return this.counters.size < MAX_COUNTERS
      ? this.startCounter(key, topic)
      : (this.counters.get(OTHER_ROUTES) ?? this.startCounter(OTHER_ROUTES, { route: OTHER_ROUTES }));
  }

  private startCounter(
    key: string,
    topic: Pick<RefusalCounter, 'code' | 'route' | 'enforced'>,
  ): RefusalCounter {
    const cancel = this.clock.schedule(MINUTE_MS, () => this.endCounter(key, counter));
    const counter: RefusalCounter = { ...topic, seen: 0, cancel };
    this.counters.set(key, counter);
    return counter;
  }

  private endCounter(key: string, { code, route, enforced, seen }: RefusalCounter): void {
    this.counters.delete(key);
    const suppressed = seen - MAX_LINES_PER_MINUTE;
    if (suppressed > 0)
      this.log.warn({
        message: 'refusals suppressed',
        ...(code !== undefined && { code }),
        route,
        ...(enforced === false && { enforced }),
        suppressed,
      });
  }
}

function toEvent({ error, enforce, route, token, principal, unexpected }: RefusalEntry): LogEvent {
  return {
    message: enforce === false ? 'request would be refused, but passes' : 'request refused',
    code: error.code,
    route,
    reason: loggable(withoutToken(reasonOf(error, unexpected), token), 300),
    ...stackOf(unexpected?.thrown, token),
    ...callerOf(principal, token),
  };
}

/** Another library's error may have accessors that throw. Then the line has no stack. */
function stackOf(thrown: unknown, token: string | undefined): { readonly stack?: string } {
  try {
    return thrown instanceof Error
      ? { stack: loggable(withoutToken(String(thrown.stack), token), 2_000) }
      : {};
  } catch {
    return {};
  }
}

/** Not truncated. The causes are included: they name the part of this service that failed, or the rule that threw. */
function reasonOf(error: K8sAuthError, unexpected: RefusalEntry['unexpected']): string {
  if (unexpected) return `${error.message}: ${joinErrorMessages(unexpected.thrown)}`;
  return error.cause === undefined ? error.message : joinErrorMessages(error);
}

/** A shorter token may occur in ordinary words, and is too short to be a secret. */
const TOKEN_PREFIX_LENGTH = 16;
/** The remaining characters of a b64token, RFC 6750 §2.1. */
const REST_OF_TOKEN = /^[A-Za-z0-9\-._~+/=]*/;

/**
 * Redacts the token. `loggable` only recognizes a JWT, and a `Bearer` credential need not be one. The search is for the
 * first characters of the token, because the text may hold a truncated token. Must run before we truncate the text.
 */
function withoutToken(text: string, token: string | undefined): string {
  if (token === undefined || token.length < TOKEN_PREFIX_LENGTH) return text;
  const [before = '', ...rest] = text.split(token.slice(0, TOKEN_PREFIX_LENGTH));
  return [before, ...rest.map((after) => after.replace(REST_OF_TOKEN, '[token]'))].join('');
}

/** A name that cannot forge other content of a log line. A ServiceAccount's `sub` has up to 339 characters. */
const SAFE_NAME = /^[A-Za-z0-9:._/@-]{1,350}$/;

/** The verified caller, or the names in a token that was not accepted, if they are safe. @internal */
export function callerOf(principal: Principal | undefined, token: string | undefined): Partial<EventCaller> {
  if (principal) {
    const { username, credentialId } = principal;
    return { sub: username, ...(credentialId !== undefined && { credentialId }), verified: true };
  }
  const { sub, jti } = (token !== undefined && readUnverifiedClaims(token)) || {};
  const caller = {
    ...(isSafeName(sub) && { sub: loggable(sub, 350) }),
    ...(isSafeName(jti) && { credentialId: `JTI=${loggable(jti, 350)}` }),
  };
  return Object.keys(caller).length > 0 ? { ...caller, verified: false } : {};
}

function isSafeName(value: unknown): value is string {
  return typeof value === 'string' && SAFE_NAME.test(value);
}
