import { ConfigurationError } from '../../errors.js';
import { bareOriginOf, namesHostOf } from '../destinations.options.js';

/** The parts of `@grpc/grpc-js` that the bindings use. The package is not imported: the application passes its own copy. */
export interface GrpcMetadata {
  get(key: string): readonly unknown[];
  set(key: string, value: string): void;
  clone(): GrpcMetadata;
}

export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: unknown;
}

export interface GrpcListener {
  onReceiveMetadata?(metadata: unknown): void;
  onReceiveMessage?(message: unknown): void;
  onReceiveStatus?(status: GrpcStatus): void;
}

export interface GrpcCall {
  start(metadata: GrpcMetadata, listener?: GrpcListener): void;
  sendMessageWithContext(context: object, message: unknown): void;
  sendMessage(message: unknown): void;
  startRead(): void;
  halfClose(): void;
  cancelWithStatus(code: number, details: string): void;
  getPeer(): string;
  getAuthContext?(): unknown;
}

export interface GrpcCallOptions {
  /** Replaces the host of the channel in the `:authority` header. */
  readonly host?: string;
  readonly method_definition?: { readonly requestStream?: boolean };
}

/** Status codes of gRPC. @internal */
export const UNAUTHENTICATED = 16;
export const UNAVAILABLE = 14;

/** @throws {ConfigurationError} the text is not an origin of one of the schemes @internal */
export function originOfService(text: string, schemes: readonly string[]): string {
  const origin = bareOriginOf(text);
  if (origin !== undefined && schemes.some((scheme) => origin.startsWith(`${scheme}:`))) return origin;
  throw new ConfigurationError([
    `gRPC origin: expected ${schemes.map((scheme) => `${scheme}://host:port`).join(' or ')}`,
  ]);
}

/**
 * Whether a channel connects to the host and port of an origin.
 * @param target as `getPeer` of a call returns it before the call starts: `dns:host:port`. With a proxy it names the proxy.
 * @internal
 */
export function isTargetOf(origin: string, target: string): boolean {
  const address = target.replace(/^(dns|ipv4|ipv6):(\/\/[^/]*\/|\/)?/, '');
  // Without a port gRPC uses 443, also without TLS.
  return namesHostOf(origin, /:\d+$/.test(address) ? address : `${address}:443`);
}
