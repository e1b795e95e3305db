import {
  InvalidTokenError,
  K8sAuthError,
  type K8sAuthErrorCode,
  VerifierUnavailableError,
} from '../../src/errors.js';
import { describeError } from '../../src/util/log.js';

/** The checks in the order in which the guard makes them. */
export const CHECK_IDS = [
  'credentials',
  'format',
  'issuer',
  'times',
  'keys',
  'signature',
  'audience',
  'claims',
  'review',
] as const;

export type CheckId = (typeof CHECK_IDS)[number];

/**
 * - `unknown`: the check could not be made now, so a guard answers 503.
 * - `skipped`: the verifier does not make this check, or an earlier failure makes it impossible.
 */
export type CheckStatus = 'pass' | 'fail' | 'unknown' | 'skipped';

/** One check of a token and its result. Contains no token text. */
export interface CheckRecord {
  readonly id: CheckId;
  readonly status: CheckStatus;
  readonly expected: string;
  /** What the token holds. Omitted if there is nothing to compare. */
  readonly found?: string;
  /** The error that the guard would throw. */
  readonly error?: { readonly code?: K8sAuthErrorCode; readonly message: string };
}

/** What is known about a check before it is made. */
export type CheckSubject = Pick<CheckRecord, 'id' | 'expected' | 'found'>;

/** @internal */
export function passed(subject: CheckSubject): CheckRecord {
  return { ...subject, status: 'pass' };
}

/** @param reason why the check was not made @internal */
export function skipped(id: CheckId, reason: string): CheckRecord {
  return { id, status: 'skipped', expected: reason };
}

/** The record of a check that has thrown: only an `InvalidTokenError` says something about the token. @internal */
export function failed(subject: CheckSubject, error: unknown): CheckRecord {
  const message = messageOf(error);
  if (error instanceof InvalidTokenError) {
    return { ...subject, status: 'fail', error: { code: error.code, message } };
  }
  const code = error instanceof VerifierUnavailableError ? error.code : undefined;
  return { ...subject, status: 'unknown', error: { ...(code && { code }), message } };
}

/** The message of an error and of its causes. The code is not repeated, because it is shown beside the message. @internal */
export function messageOf(error: unknown): string {
  if (!(error instanceof K8sAuthError)) return describeError(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describeError(error.cause)}`;
}
