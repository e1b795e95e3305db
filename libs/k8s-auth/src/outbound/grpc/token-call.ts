import { describeError } from '../../util/log.js';
import { allowToken } from '../carries-token.js';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { SentToken } from '../sent-token.js';
import {
  type GrpcCall,
  type GrpcCallOptions,
  type GrpcListener,
  type GrpcMetadata,
  type GrpcStatus,
  isTargetOf,
  UNAUTHENTICATED,
  UNAVAILABLE,
} from './grpc-call.js';

/**
 * One call of a gRPC client with the token of its destination. Operations of the client are delayed until the token is
 * available, and then run in the same order. A replay runs all of them again.
 * @internal
 */
export class TokenCall implements GrpcCall {
  #call?: GrpcCall;
  /** What the client has done since `start`. A client that streams its requests has no replay, so nothing is kept for it. */
  #actions: ((call: GrpcCall) => void)[] = [];
  #listener: GrpcListener = {};
  #hasEnded = false;
  #cancellation?: GrpcStatus;
  #metadata?: GrpcMetadata;

  constructor(
    private readonly options: GrpcCallOptions,
    private readonly nextCall: (options: GrpcCallOptions) => GrpcCall,
    private readonly tokenSource: TokensByOrigin,
    private readonly origin: string,
  ) {}

  start(metadata: GrpcMetadata, listener: GrpcListener = {}): void {
    this.#listener = listener;
    this.#metadata = metadata;
    const { tokenSource, origin } = this;
    const entries: [string, unknown][] = [
      ...metadata.get('authorization').map((value): [string, unknown] => ['authorization', value]),
      ['host', this.options.host],
    ];
    if (!allowToken(entries, origin)) return this.#begin(metadata, listener);
    const known = tokenSource.peekToken?.(origin);
    if (known !== undefined) return this.#send(metadata, new SentToken(origin, known));
    tokenSource
      .getToken(origin)
      .then((token) => {
        if (this.#hasEnded) return;
        if (token === undefined) this.#begin(metadata, listener);
        else this.#send(metadata, new SentToken(origin, token));
      })
      // Also if the client was closed in the meantime: then a new call throws.
      .catch((error: unknown) => this.#end(this.#statusOf(UNAVAILABLE, describeError(error))));
  }

  sendMessage(message: unknown): void {
    this.#do((call) => call.sendMessage(message));
  }

  sendMessageWithContext(context: object, message: unknown): void {
    this.#do((call) => call.sendMessageWithContext(context, message));
  }

  startRead(): void {
    this.#do((call) => call.startRead());
  }

  halfClose(): void {
    this.#do((call) => call.halfClose());
  }

  cancelWithStatus(code: number, details: string): void {
    this.#cancellation = this.#statusOf(code, details);
    if (this.#call) this.#call.cancelWithStatus(code, details);
    else this.#end(this.#cancellation);
  }

  getPeer(): string {
    return this.#call?.getPeer() ?? 'unknown';
  }

  getAuthContext(): unknown {
    return this.#call?.getAuthContext?.() ?? null;
  }

  #do(action: (call: GrpcCall) => void): void {
    const isWaiting = this.#call === undefined;
    if (isWaiting || this.#canRepeat()) this.#actions.push(action);
    if (this.#call) action(this.#call);
  }

  #canRepeat(): boolean {
    return !this.options.method_definition?.requestStream;
  }

  #begin(metadata: GrpcMetadata, listener: GrpcListener, call = this.nextCall(this.options)): void {
    this.#call = call;
    call.start(metadata, listener);
    for (const action of this.#actions) action(call);
    if (!this.#canRepeat()) this.#actions = [];
  }

  #send(metadata: GrpcMetadata, sent: SentToken): void {
    const call = this.nextCall(this.options);
    if (!isTargetOf(this.origin, call.getPeer())) return this.#begin(metadata, this.#listener, call);
    const withToken = metadata.clone();
    withToken.set('authorization', sent.header);
    this.#begin(withToken, this.#listenerFor(metadata, sent), call);
  }

  /** Holds back an UNAUTHENTICATED that came without headers: then the call is not committed (gRFC A6), and may be repeated. */
  #listenerFor(metadata: GrpcMetadata, sent: SentToken): GrpcListener {
    const listener = this.#listener;
    let isCommitted = !this.#canRepeat();
    // A unary call without a message gets `null`, before its status.
    let hasNull = false;
    const settle = (status: GrpcStatus) => {
      if (hasNull) listener.onReceiveMessage?.(null);
      listener.onReceiveStatus?.(status);
    };
    return {
      onReceiveMetadata: (headers) => {
        isCommitted = true;
        listener.onReceiveMetadata?.(headers);
      },
      onReceiveMessage: (message) => {
        hasNull = message === null;
        isCommitted ||= !hasNull;
        if (!hasNull) listener.onReceiveMessage?.(message);
      },
      onReceiveStatus: (status) => {
        const httpStatus = status.code === UNAUTHENTICATED ? 401 : undefined;
        if (isCommitted || !sent.isRejectedBy(httpStatus)) return settle(status);
        sent
          .renewed(this.tokenSource)
          .then((renewed) => {
            if (renewed && !this.#cancellation) this.#send(metadata, renewed);
            else settle(this.#cancellation ?? status);
          })
          // Also if the client was closed in the meantime: then a new call throws.
          .catch(() => settle(status));
      },
    };
  }

  #statusOf(code: number, details: string): GrpcStatus {
    const Metadata = this.#metadata?.constructor as (new () => unknown) | undefined;
    return { code, details, metadata: Metadata && new Metadata() };
  }

  /** Ends a call that was not sent. */
  #end(status: GrpcStatus): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#listener.onReceiveMessage?.(null);
    this.#listener.onReceiveStatus?.(status);
  }
}
