import { type Principal } from '../../identity/principal.js';
import { type Clock } from '../../util/clock.js';
import { type LongLivedConnection } from './transport.js';

/** The value of option `longLivedConnections`. */
export type LongLivedConnectionsOption = 'close-at-expiry' | 'stay-open';

/** The token of one connection, and when the connection has to end. */
class ConnectionRecord {
  /** Private, so that no inspection of the object shows it. */
  #token: string | undefined;
  endsAtMs: number | undefined;
  cancel: () => void = () => undefined;

  get token(): string | undefined {
    return this.#token;
  }

  keepToken(token: string): void {
    this.#token = token;
  }
}

const records = new WeakMap<object, ConnectionRecord>();

/** The accepted token of a connection. It is kept because it is removed from the handshake. @internal */
export function tokenOfConnection({ key }: LongLivedConnection): string | undefined {
  return records.get(key)?.token;
}

function keepTokenOfConnection({ key }: LongLivedConnection, token: string): void {
  const record = records.get(key) ?? new ConnectionRecord();
  records.set(key, record);
  record.keepToken(token);
}

/** What decides how long a connection may stay open. */
export interface ConnectionPolicy {
  readonly longLivedConnections: LongLivedConnectionsOption;
  readonly clock: Clock;
}

/** Call this after each message whose token was accepted. @internal */
export function noteAcceptedToken(
  connection: LongLivedConnection,
  { token, principal }: { readonly token: string; readonly principal: Principal },
  { longLivedConnections, clock }: ConnectionPolicy,
): void {
  keepTokenOfConnection(connection, token);
  if (longLivedConnections === 'close-at-expiry' && principal.expiresAt)
    closeAtExpiry(connection, principal.expiresAt.getTime(), clock);
}

/**
 * Closes the connection when the token of its caller expires. Call it after each accepted message: only the first call for
 * an expiry has an effect.
 */
function closeAtExpiry(connection: LongLivedConnection, expiresAtMs: number, clock: Clock): void {
  const record = records.get(connection.key) ?? new ConnectionRecord();
  records.set(connection.key, record);
  if (record.endsAtMs === expiresAtMs) return;
  if (record.endsAtMs === undefined) connection.onClosed(() => record.cancel());
  record.cancel();
  record.endsAtMs = expiresAtMs;
  wait();

  /** A timer may be limited to 24 days, and a token may live for a year. */
  function wait(): void {
    record.cancel = clock.schedule(Math.max(0, expiresAtMs - clock.wallMs()), () => {
      if (clock.wallMs() >= expiresAtMs) connection.close();
      else wait();
    });
  }
}
