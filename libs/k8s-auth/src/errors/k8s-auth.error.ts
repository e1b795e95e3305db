import { type K8sAuthErrorCode } from './error-codes.js';

/**
 * Base of every error this library throws. Core errors know no HTTP: what a caller sees is decided in one place,
 * inbound/refusal.ts. No message, field or cause holds token text.
 * @publicApi
 */
export abstract class K8sAuthError extends Error {
  /** Stable; safe to branch on. */
  abstract readonly code: K8sAuthErrorCode;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}
