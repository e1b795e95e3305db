import { type AnyHandler, type Controller, type Handler, isHandler, type LegacyHandler } from './handlers.js';
import { type Flow, type Rejection } from './rejection.js';

/** Puts a {@link Rejection} between undici and the handler of a request. @internal */
export function handlerWith(rejection: Rejection, handler: AnyHandler): AnyHandler {
  return isHandler(handler)
    ? new RejectionHandler(rejection, handler)
    : new LegacyRejectionHandler(rejection, handler);
}

class RejectionHandler implements Handler {
  readonly #rejection: Rejection;
  readonly #handler: Handler;

  constructor(rejection: Rejection, handler: Handler) {
    this.#rejection = rejection;
    this.#handler = handler;
  }

  onRequestStart(...[controller, context]: Parameters<Handler['onRequestStart']>): void {
    this.#rejection.start(context);
    this.#handler.onRequestStart(controller, context);
  }

  onRequestUpgrade(controller: Controller, ...response: unknown[]): void {
    this.#handler.onRequestUpgrade?.(controller, ...response);
  }

  onResponseStart(controller: Controller, status: number, ...response: unknown[]): void {
    const event = () => this.#handler.onResponseStart?.(controller, status, ...response);
    if (this.#rejection.holds(status, controller, event)) controller.pause();
    else event();
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    const event = () => this.#handler.onResponseData?.(controller, chunk);
    if (!this.#rejection.withholdsData(chunk, controller, event)) event();
  }

  onResponseEnd(controller: Controller, trailers: unknown): void {
    const event = () => this.#handler.onResponseEnd?.(controller, trailers);
    if (!this.#rejection.withholds(event)) event();
  }

  onResponseError(controller: Controller | null, error: Error): void {
    if (!this.#rejection.withholdsError(error)) this.#handler.onResponseError?.(controller, error);
  }
}

class LegacyRejectionHandler implements LegacyHandler {
  readonly #rejection: Rejection;
  readonly #handler: LegacyHandler;
  #abort: Flow['abort'] = () => {};

  constructor(rejection: Rejection, handler: LegacyHandler) {
    this.#rejection = rejection;
    this.#handler = handler;
    // undici looks for this method to learn whether the handler wants the event.
    if (handler.onBodySent) this.onBodySent = (...progress) => handler.onBodySent?.(...progress);
  }

  onBodySent?: (...progress: unknown[]) => void;

  onConnect(...[abort, context]: Parameters<NonNullable<LegacyHandler['onConnect']>>): void {
    this.#abort = abort;
    this.#rejection.start(context);
    this.#handler.onConnect?.(abort, context);
  }

  onUpgrade(...response: unknown[]): void {
    this.#handler.onUpgrade?.(...response);
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.();
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.();
  }

  onHeaders(status: number, headers: unknown, resume: () => void, ...response: unknown[]): boolean {
    const event = () => this.#handler.onHeaders?.(status, headers, resume, ...response) ?? true;
    const isHeld = this.#rejection.holds(status, { resume, abort: this.#abort }, event);
    return isHeld ? false : event();
  }

  onData(chunk: Uint8Array): boolean {
    const event = () => this.#handler.onData?.(chunk) ?? true;
    const flow: Flow = { resume: () => {}, abort: this.#abort };
    return this.#rejection.withholdsData(chunk, flow, event) ? true : event();
  }

  onComplete(trailers: unknown): void {
    const event = () => this.#handler.onComplete?.(trailers);
    if (!this.#rejection.withholds(event)) event();
  }

  onError(error: Error): void {
    if (!this.#rejection.withholdsError(error)) this.#handler.onError?.(error);
  }
}
