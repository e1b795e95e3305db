import { type K8sAuthError } from '../../errors.js';
import { type Principal } from '../../identity/principal.js';
import { type Clock } from '../../util/clock.js';
import { type Log, type LogEvent, loggable, joinErrorMessages } from '../../util/log.js';
import { readUnverifiedClaims } from '../../jwt/jwt-claims.js';

/** A request that was turned away. */
export interface RefusalEntry {
  readonly error: K8sAuthError;
  /** See describeRoute: a pattern, never a URL. */
  readonly route: string;
  /** Only to name who seems to be calling; never logged. */
  readonly token?: string;
  /** Who is calling, once that is known. */
  readonly principal?: Principal;
  /** What was thrown and nobody foresaw; logged with its stack. */
  readonly unforeseen?: { readonly thrown: unknown };
}

/** Counts the refusals of one code and route since its first line of this minute. */
interface Minute {
  /** Absent for the key that all others share when there are too many. */
  readonly code?: string;
  readonly route: string;
  seen: number;
  readonly cancel: () => void;
}

const MINUTE_MS = 60_000;
/** Enough to see a pattern; a flood may not fill a disk. */
const LINES_A_MINUTE = 20;
/** Codes times routes of a large service. */
const MAX_MINUTES = 1_000;
const OTHERS = '(other routes)';

/**
 * Says why requests were refused: one line each, and for a flood one line a minute with their number.
 * Assumes nothing of callers: what they sent appears only as short names of a harmless alphabet.
 * @internal
 */
export class RefusalLog {
  private readonly minutes = new Map<string, Minute>();
  private readonly clock: Clock;
  private readonly log: Log;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.clock = clock;
    this.log = log;
  }

  record(refusal: RefusalEntry): void {
    const minute = this.minuteOf(refusal.error.code, refusal.route);
    minute.seen++;
    if (minute.seen > LINES_A_MINUTE) return;
    this.log.warn(toEvent(refusal));
  }

  /** Stops the timers and says what they would have said. */
  close(): void {
    for (const [key, minute] of this.minutes) {
      minute.cancel();
      this.endMinute(key, minute);
    }
  }

  private minuteOf(code: string, route: string): Minute {
    const key = `${code} ${route}`;
    const open = this.minutes.get(key);
    if (open) return open;
    return this.minutes.size < MAX_MINUTES
      ? this.startMinute(key, { code, route })
      : (this.minutes.get(OTHERS) ?? this.startMinute(OTHERS, { route: OTHERS }));
  }

  private startMinute(key: string, topic: { code?: string; route: string }): Minute {
    const cancel = this.clock.schedule(MINUTE_MS, () => this.endMinute(key, minute));
    const minute: Minute = { ...topic, seen: 0, cancel };
    this.minutes.set(key, minute);
    return minute;
  }

  private endMinute(key: string, { code, route, seen }: Minute): void {
    this.minutes.delete(key);
    const suppressed = seen - LINES_A_MINUTE;
    if (suppressed > 0)
      this.log.warn({
        message: 'refusals summed up',
        ...(code !== undefined && { code }),
        route,
        suppressed,
      });
  }
}

function toEvent({ error, route, token, principal, unforeseen }: RefusalEntry): LogEvent {
  return {
    message: 'request refused',
    code: error.code,
    route,
    reason: loggable(withoutToken(reasonOf(error, unforeseen), token), 300),
    ...stackOf(unforeseen?.thrown, token),
    ...callerOf(principal, token),
  };
}

/** A foreign error may have accessors that throw: the refusal stands without its stack then. */
function stackOf(thrown: unknown, token: string | undefined): { readonly stack?: string } {
  try {
    return thrown instanceof Error
      ? { stack: loggable(withoutToken(String(thrown.stack), token), 2_000) }
      : {};
  } catch {
    return {};
  }
}

/** Uncut, with the causes where they tell what of ours is in trouble, or which rule threw. */
function reasonOf(error: K8sAuthError, unforeseen: RefusalEntry['unforeseen']): string {
  if (unforeseen) return `${error.message}: ${joinErrorMessages(unforeseen.thrown)}`;
  return error.cause === undefined ? error.message : joinErrorMessages(error);
}

/** What is shorter is also part of ordinary words, and too short to be a secret. */
const TELLTALE_LENGTH = 16;
/** Whatever can follow in a b64token, RFC 6750 §2.1. */
const REST_OF_TOKEN = /^[A-Za-z0-9\-._~+/=]*/;

/**
 * A `Bearer` credential need not look like a JWT, which is all that `loggable` knows. Its first characters give it
 * away, also where somebody has cut it already; so this comes before any cut of ours.
 */
function withoutToken(text: string, token: string | undefined): string {
  if (token === undefined || token.length < TELLTALE_LENGTH) return text;
  const [before = '', ...rest] = text.split(token.slice(0, TELLTALE_LENGTH));
  return [before, ...rest.map((after) => after.replace(REST_OF_TOKEN, '[token]'))].join('');
}

/** Whether a name could be mistaken for anything else in a log. A ServiceAccount's `sub` has up to 339 characters. */
const HARMLESS = /^[A-Za-z0-9:._/@-]{1,350}$/;

function callerOf(principal: Principal | undefined, token: string | undefined): object {
  if (principal) {
    const { username, credentialId } = principal;
    return { sub: username, ...(credentialId !== undefined && { credentialId }), verified: true };
  }
  const { sub, jti } = (token !== undefined && readUnverifiedClaims(token)) || {};
  const caller = {
    ...(isHarmless(sub) && { sub: loggable(sub, 350) }),
    ...(isHarmless(jti) && { credentialId: `JTI=${loggable(jti, 350)}` }),
  };
  return Object.keys(caller).length > 0 ? { ...caller, verified: false } : {};
}

function isHarmless(value: unknown): value is string {
  return typeof value === 'string' && HARMLESS.test(value);
}
