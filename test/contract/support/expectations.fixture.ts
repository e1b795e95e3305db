import { type Answer } from './contract-api.fixture.js';
import { comparableBody } from './differences.fixture.js';

/** Headers of every JSON answer, except those of discovery. */
export const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };

interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: unknown;
  readonly details?: unknown;
}

/** The whole body of a refusal: a Status object (meta/v1). */
export function refusal({ code, reason, message, details }: Refusal): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details !== undefined && { details }),
    code,
  };
}

export const UNAUTHORIZED = refusal({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });

/** The parts that must be equal for all targets: status, the headers that clients use, and the body. */
export function visible(answer: Answer): object {
  const { headers } = answer;
  return {
    status: answer.status,
    headers: Object.fromEntries(
      ['content-type', 'cache-control', 'www-authenticate', 'x-content-type-options', 'retry-after'].flatMap(
        (name) => (headers[name] === undefined ? [] : [[name, headers[name]]]),
      ),
    ),
    body: comparableBody(answer),
  };
}

/** The answer to a TokenReview as {@link visible} shows it. */
export function reviewed(spec: object, status: object): object {
  const type = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1' };
  return { status: 201, headers: JSON_HEADERS, body: { ...type, metadata: {}, spec, status } };
}

/** A refusal as {@link visible} shows it. */
export function refused(status: Refusal): object {
  const headers = { ...JSON_HEADERS, ...(status.code === 403 && { 'x-content-type-options': 'nosniff' }) };
  return { status: status.code, headers, body: refusal(status) };
}

export const REFUSED_CREDENTIAL = { status: 401, headers: JSON_HEADERS, body: UNAUTHORIZED };

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** RFC 3339 in whole seconds, as metav1.Time is written. */
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Part 0 (header) or 1 (payload) of a compact JWS, unverified. */
export function partOf(token: string, index: 0 | 1): Record<string, unknown> {
  const part = token.split('.')[index] ?? '';
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}
