import { VerifierUnavailableError } from '../errors.js';
import { type HttpsResponse } from '../http/https-client.js';
import { OutageError } from './retry-policy.js';

/**
 * The `status` of a review in the answer of the API server.
 * @param flag the boolean member with the decision; the API server omits it if it is false
 * @throws {VerifierUnavailableError} the answer is not such a review
 * @internal
 */
export function statusOf<Flag extends string>(
  { status: code, body }: HttpsResponse,
  kind: string,
  flag: Flag,
): { readonly [name in Flag]?: unknown } {
  const answer = code === 200 || code === 201 ? parseObject(body) : undefined;
  const status: unknown = answer && answer.kind === kind ? answer.status : undefined;
  if (typeof status !== 'object' || status === null || Array.isArray(status)) {
    // A load balancer in front of a dead control plane sends 5xx too.
    const Unavailable = code >= 500 ? OutageError : VerifierUnavailableError;
    throw new Unavailable(`API server answered ${code}, expected a ${kind} with a status`);
  }
  const decision: unknown = (status as { readonly [name in Flag]?: unknown })[flag] ?? false;
  if (typeof decision === 'boolean') return status;
  throw new VerifierUnavailableError(
    `API server answered with a ${kind} whose status.${flag} is not a boolean`,
  );
}

/** Drops the error of JSON.parse, because its message quotes the text, and the text may repeat the token. */
function parseObject(text: string): { readonly kind?: unknown; readonly status?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
