import { type ExecutionContext } from '@nestjs/common';
import { type Principal } from '../../identity/principal.js';
import { AuthenticatedRequest, type UnenforcedRequest } from '../request/authenticated-request.js';
import { type RouteHandler } from '../routes/controller-class.js';
import { originalOf } from '../routes/route-table.js';
import { type Verdict } from '../../verifiers/verifier.js';
import { handshakeOf } from './handshake.js';
import { findTransport } from './index.js';
import { type ConnectionPolicy, noteAcceptedToken } from './long-lived-connections.js';
import { type Transport } from './transport.js';

interface MessageVerdict {
  readonly root: object;
  /** From `audienceKeyOf`. */
  readonly audiences: string;
  readonly verdict: Verdict | PromiseLike<Verdict>;
  /** The verdict, once it is known. */
  settled?: Verdict;
}

/**
 * What the guards have found out about one message, call or request outside of HTTP routes. An operation of GraphQL has
 * several handlers, which may run at the same time: its token is verified once for each list of audiences.
 */
export class MessageRecord {
  /** Private, so that no inspection of the object shows it. */
  #token: string | undefined;
  #verdicts: MessageVerdict[] = [];
  readonly #accepted: AuthenticatedRequest[] = [];
  readonly #public = new Set<RouteHandler>();
  /** The handlers whose route would have refused the message, but is not enforced. */
  readonly #unenforced = new Set<RouteHandler>();

  get token(): string | undefined {
    return this.#token;
  }

  keepToken(token: string): void {
    this.#token = token;
  }

  /** @param nowMs wall clock: a verdict is not used after its end @param verify called if there is no verdict yet */
  verdictFor(
    root: object,
    audiences: string,
    nowMs: number,
    verify: () => Verdict | PromiseLike<Verdict>,
  ): Verdict | PromiseLike<Verdict> {
    const isSame = (one: MessageVerdict) => one.root === root && one.audiences === audiences;
    const known = this.#verdicts.find(isSame);
    if (known && (!known.settled || nowMs < known.settled.validUntilMs)) return known.verdict;
    const added: MessageVerdict = { root, audiences, verdict: verify() };
    this.#verdicts = [...this.#verdicts.filter((one) => !isSame(one)), added];
    return added.verdict;
  }

  noteSettled(verdict: Verdict | PromiseLike<Verdict>, settled: Verdict): void {
    const entry = this.#verdicts.find((one) => one.verdict === verdict);
    if (entry) entry.settled = settled;
  }

  /** @param root the root that must have accepted the message; any root when omitted */
  acceptedFor(context: ExecutionContext, root?: object): AuthenticatedRequest | undefined {
    return this.#accepted.find((one) => one.isFor(context, root));
  }

  /** Of a connection, which several gateways may have accepted: they have accepted the same token. */
  get firstAccepted(): AuthenticatedRequest | undefined {
    return this.#accepted[0];
  }

  get hasUnenforced(): boolean {
    return this.#unenforced.size > 0;
  }

  accept(context: ExecutionContext, authenticated: AuthenticatedRequest): void {
    this.#unenforced.delete(originalOf(context.getHandler()));
    const index = this.#accepted.findIndex((one) => one.isFor(context));
    if (index < 0) this.#accepted.push(authenticated);
    else this.#accepted[index] = authenticated;
  }

  notePublic(handler: RouteHandler): void {
    this.#public.add(originalOf(handler));
  }

  isPublic(handler: RouteHandler): boolean {
    return this.#public.has(originalOf(handler));
  }

  /** The caller of an earlier message on the same connection is not the caller of this one. */
  noteUnenforced(context: ExecutionContext): void {
    const index = this.#accepted.findIndex((one) => one.isFor(context));
    if (index >= 0) this.#accepted.splice(index, 1);
    this.#unenforced.add(originalOf(context.getHandler()));
  }

  isUnenforced(handler: RouteHandler): boolean {
    return this.#unenforced.has(originalOf(handler));
  }
}

const records = new WeakMap<object, MessageRecord>();

/** @returns a new record if the message has no record yet @internal */
export function recordOf(message: object): MessageRecord {
  const known = records.get(message) ?? new MessageRecord();
  records.set(message, known);
  return known;
}

function callerRecordOf(context: ExecutionContext, transport = findTransport(context)) {
  const key = transport && callerKeyOf(context, transport);
  return key && records.get(key);
}

/** @internal */
export function callerKeyOf(context: ExecutionContext, transport: Transport): object | undefined {
  return transport.callerKeyOf ? transport.callerKeyOf(context) : transport.messageOf(context);
}

/** The verified caller of a message, for the handler of `context`. @internal */
export function authenticatedMessage(context: ExecutionContext): AuthenticatedRequest | undefined {
  return callerRecordOf(context)?.acceptedFor(context);
}

/** What is known about the caller who opened a connection to gateways. @param client of a gateway @internal */
export function connectionRecordOf(client: object): MessageRecord | undefined {
  const handshake = handshakeOf(client);
  return handshake && records.get(handshake);
}

/** @internal */
export function isPublicMessage(context: ExecutionContext): boolean {
  return callerRecordOf(context)?.isPublic(context.getHandler()) === true;
}

/** Stores the verified caller where guards, parameters and interceptors look for it. @internal */
export function rememberMessage(
  context: ExecutionContext,
  transport: Transport,
  authenticated: AuthenticatedRequest,
): void {
  for (const key of new Set([transport.messageOf(context), callerKeyOf(context, transport)])) {
    if (key) recordOf(key).accept(context, authenticated);
  }
}

/** A message whose token was accepted. */
export interface VerifiedMessage {
  readonly context: ExecutionContext;
  readonly principal: Principal;
  readonly token: string;
}

/** Stores the caller, keeps the token for the connection, and removes the credentials from the message. @internal */
export function keepCaller(
  root: ConnectionPolicy,
  transport: Transport,
  { context, principal, token }: VerifiedMessage,
): void {
  const connection = transport.longLivedOf?.(context);
  // It may have ended during the verification. Then nothing would cancel its timer.
  if (connection && !transport.connectionOf(context).isClosed())
    noteAcceptedToken(connection, { token, principal }, root);
  transport.removeCredentials(context);
  rememberMessage(context, transport, new AuthenticatedRequest(root, context, principal, token));
}

/** @internal */
export function rememberUnenforcedMessage(
  root: ConnectionPolicy,
  { context, principal, token }: UnenforcedRequest,
): void {
  const transport = findTransport(context);
  if (!transport) return;
  for (const key of new Set([transport.messageOf(context), callerKeyOf(context, transport)])) {
    if (key) recordOf(key).noteUnenforced(context);
  }
  transport.noteDecided?.(context);
  if (principal && token !== undefined) keepCaller(root, transport, { context, principal, token });
}

/** Whether this message passed only because its handler is not enforced. Another message is decided again. @internal */
export function isUnenforcedMessage(context: ExecutionContext): boolean {
  const message = findTransport(context)?.messageOf(context);
  return message !== undefined && records.get(message)?.isUnenforced(context.getHandler()) === true;
}

/** The same for parameters and interceptors, which may see only the connection. @internal */
export function hasUnenforcedCaller(context: ExecutionContext): boolean {
  return callerRecordOf(context)?.isUnenforced(context.getHandler()) === true;
}
