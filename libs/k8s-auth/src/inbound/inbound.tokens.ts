/** Injection token of the {@link TokenVerifier}; its value is `undefined` in a service that only calls others. @internal */
export const K8S_AUTH_VERIFIER = Symbol('K8S_AUTH:VERIFIER');

/** Injection token of the {@link InboundSettings}. @internal */
export const K8S_AUTH_INBOUND_SETTINGS = Symbol('K8S_AUTH:INBOUND_SETTINGS');

/** What the guard takes from the module's options. */
export interface InboundSettings {
  /** What `@K8sAuth()` without an argument means. */
  readonly audience?: string;
  /** Longer tokens are refused unread. Unit: bytes of the b64token, which is ASCII. */
  readonly maxTokenBytes: number;
}
