import { type ExecutionContext } from '@nestjs/common';
import { type K8sAuthError } from '../../errors.js';
import { type CallerConnection } from '../../verifiers/verifier.js';

/**
 * How a refusal is reported outside of HTTP. It is the same for every reason with this outcome: the reason would help an
 * attacker.
 */
export interface Refusal {
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'SERVICE_UNAVAILABLE';
  /** The HTTP status of the outcome. */
  readonly statusCode: 401 | 403 | 503;
  /** The name of the status, such as `Unauthorized`. */
  readonly message: string;
  /** When a retry may succeed, in whole seconds; only with `SERVICE_UNAVAILABLE`. */
  readonly retryAfterSeconds?: number;
  /** For exception filters of this service. Never sent to the caller. */
  readonly cause: K8sAuthError;
}

/** A connection that stays open between messages, or a call that stays open while messages are streamed. */
export interface LongLivedConnection {
  /** The object that lives as long as the connection. */
  readonly key: object;
  /** Ends the connection, because the caller's token has expired. */
  close(): void;
  /** Calls the listener once, when the connection has ended. */
  onClosed(listener: () => void): void;
}

/**
 * Everything that the guard needs to know about a transport other than HTTP routes. It is recognized by the shape of the
 * arguments of a handler, so that the library imports no package of a transport. To add a transport, add a file and a line
 * in index.ts.
 */
export interface Transport {
  readonly name: string;

  /** Whether the handler of this context was called by this transport. */
  matches(context: ExecutionContext): boolean;

  /** The object that lives as long as the message, the call or the request. What guards find out is stored for it. */
  messageOf(context: ExecutionContext): object | undefined;

  /** Why nobody can tell whose message this is, if so: it is refused with 503 then. */
  undecidable?(context: ExecutionContext): string | undefined;

  /**
   * The object for which the caller is stored for parameters and interceptors.
   * @default `messageOf`: different where a parameter decorator cannot find the message
   */
  callerKeyOf?(context: ExecutionContext): object | undefined;

  /** Every value that takes the place of an `Authorization` header. More than one is malformed. */
  credentialsOf(context: ExecutionContext): readonly string[];

  /** Removes the credentials from an accepted message, so that no handler or log after the guard can use them. */
  removeCredentials(context: ExecutionContext): void;

  /** The address and the state of the connection, for the order of verifications under overload. */
  connectionOf(context: ExecutionContext): CallerConnection;

  /** The connection or the stream whose end the expiry of the token may cause; `undefined` for single messages. */
  longLivedOf?(context: ExecutionContext): LongLivedConnection | undefined;

  /** Notes that the guard has answered for the handler, so that handlers below it need no decorator. */
  noteDecided?(context: ExecutionContext): void;

  /**
   * Whether the handler runs below a handler of the same message for which the guard has answered. A field resolver of
   * GraphQL runs only after the resolver of its root field.
   */
  isBelowDecided?(context: ExecutionContext): boolean;

  /** The error that makes Nest report the refusal to the caller in the form of the transport. */
  toError(context: ExecutionContext, refusal: Refusal): unknown;
}
