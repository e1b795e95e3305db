/**
 * The two interfaces of undici for the events of a request. Versions 6 and earlier, and the fetch of Node 20 and 22, call
 * the {@link LegacyHandler}. Version 7 and later call the {@link Handler}. undici is not imported, so that the interceptor
 * works with the version of the application.
 */

/** Controls a request in flight. */
export interface Controller {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** What handlers get when a request starts. `history` contains the URLs that redirects have left. */
export interface StartContext {
  readonly history?: readonly URL[];
}

export interface Handler {
  onRequestStart(controller: Controller, context?: StartContext): void;
  onRequestUpgrade?(controller: Controller, ...response: unknown[]): void;
  onResponseStart?(controller: Controller, status: number, ...response: unknown[]): void;
  onResponseData?(controller: Controller, chunk: Uint8Array): void;
  onResponseEnd?(controller: Controller, trailers: unknown): void;
  onResponseError?(controller: Controller | null, error: Error): void;
}

export interface LegacyHandler {
  onConnect?(abort: (reason?: Error) => void, context?: StartContext): void;
  onUpgrade?(...response: unknown[]): void;
  onResponseStarted?(): void;
  onHeaders?(status: number, headers: unknown, resume: () => void, ...response: unknown[]): boolean;
  onData?(chunk: Uint8Array): boolean;
  onComplete?(trailers: unknown): void;
  onBodySent?(...progress: unknown[]): void;
  onRequestSent?(): void;
  onError?(error: Error): void;
}

export type AnyHandler = Handler | LegacyHandler;

/** Whether undici 7 or later calls this handler. */
export function isHandler(handler: AnyHandler): handler is Handler {
  return 'onRequestStart' in handler && typeof handler.onRequestStart === 'function';
}

/** Reports an error to a handler whose request was not sent. */
export function failUnsent(handler: AnyHandler, error: Error): void {
  if (isHandler(handler)) handler.onResponseError?.(null, error);
  else handler.onError?.(error);
}
