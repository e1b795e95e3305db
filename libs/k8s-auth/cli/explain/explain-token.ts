import { InvalidTokenError, VerifierUnavailableError } from '../../src/errors.js';
import { readBearerToken } from '../../src/inbound/request/bearer-token.js';
import { audiencesOf, readUnverifiedClaims } from '../../src/jwt/jwt-claims.js';
import { findVerifierDefinition, type VerifierOptions } from '../../src/verifiers/index.js';
import { DEFAULT_CLOCK_TOLERANCE_MS, JwtVerifier } from '../../src/verifiers/jwt.verifier.js';
import { type VerifierContext, type Verify } from '../../src/verifiers/verifier.js';
import { CHECK_IDS, type CheckRecord, failed, messageOf, passed, skipped } from './check-record.js';
import { CheckRecorder } from './check-recorder.js';
import { claimText } from './claim-text.js';

export interface ExplainRequest {
  readonly token: string;
  /** The audiences of the route. Empty: not known. */
  readonly audiences: readonly string[];
  /** Omitted: the token is only decoded. */
  readonly verifier?: VerifierOptions | undefined;
  readonly maxTokenBytes: number;
}

/** What the guard would answer. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly status: 200 }
  | { readonly kind: 'refused'; readonly status: 400 | 401; readonly code?: string; readonly message: string }
  | { readonly kind: 'undecided'; readonly status?: 503; readonly code?: string; readonly message: string };

/** Every check of one token, in the order of the guard. Contains no token text. */
export interface Explanation {
  /** The unverified `sub` of the token. */
  readonly subject: string;
  /** The kind of the verifier; `undefined` if no verifier is configured. */
  readonly verifier: string | undefined;
  /** Whether a key of the issuer, or the API server, confirms that the token is genuine. */
  readonly isGenuine: boolean;
  readonly checks: readonly CheckRecord[];
  readonly outcome: Outcome;
}

/**
 * Verifies a token as the guard does, with the verifier that the options describe, and reports every check.
 * @throws {ConfigurationError} the verifier cannot be created
 */
export async function explainToken(request: ExplainRequest, context: VerifierContext): Promise<Explanation> {
  const recorder = new CheckRecorder(request.audiences.length > 0);
  const credentials = {
    id: 'credentials',
    expected: `one b64token of at most ${request.maxTokenBytes} bytes`,
  } as const;
  let error: unknown;
  try {
    readBearerToken({ headers: { authorization: `Bearer ${request.token}` } }, request.maxTokenBytes);
    recorder.add({ ...passed(credentials), found: `${request.token.length} bytes` });
    error = await verify(request, recorder, context);
  } catch (thrown) {
    if (recorder.get('credentials')) throw thrown;
    error = thrown;
    recorder.add({ ...failed(credentials, thrown), status: 'fail' });
  }
  const { kind } = request.verifier ?? {};
  const claims = recorder.unverified?.unverifiedClaims;
  return {
    subject: claims ? claimText(claims, 'sub') : 'unknown',
    verifier: kind,
    isGenuine: [recorder.get('signature'), recorder.get('review')].some((check) => check?.status === 'pass'),
    checks: CHECK_IDS.filter((id) => id !== 'review' || kind === 'tokenreview' || kind === 'hybrid').map(
      (id) => recorder.get(id) ?? skipped(id, 'not reached'),
    ),
    outcome: outcomeOf(error, request),
  };
}

/** @returns the error of the guard's verification; `undefined` if the token is accepted */
async function verify(
  request: ExplainRequest,
  recorder: CheckRecorder,
  context: VerifierContext,
): Promise<unknown> {
  const { verifier: options, token } = request;
  const audiences = request.audiences.length > 0 ? request.audiences : audiencesOfToken(token);
  const definition = options && findVerifierDefinition(options.kind);
  if (!definition) return decodeOnly(request, recorder, context, NOT_CONFIGURED);
  // Its checks are made by the API server. What the token states is shown all the same.
  if (options.kind === 'tokenreview') await decodeOnly(request, recorder, context, BY_API_SERVER);
  const verifier = await definition.create(options, { ...context, checks: recorder.checks });
  try {
    const error = await errorOf(verifier.verify, token, audiences);
    if (options.kind === 'tokenreview' || (options.kind === 'hybrid' && haveAllPassed(recorder)))
      recordReview(recorder, error);
    return error;
  } finally {
    await verifier.close();
  }
}

/** Makes the checks that need no keys. */
async function decodeOnly(
  { token, audiences }: ExplainRequest,
  recorder: CheckRecorder,
  { clock }: VerifierContext,
  reason: string,
): Promise<unknown> {
  const notKnown = () => {
    throw new VerifierUnavailableError(reason);
  };
  const keys = { issuers: notKnown, find: notKnown, trusts: () => false };
  const options = { kind: 'none', clock, clockToleranceMs: DEFAULT_CLOCK_TOLERANCE_MS };
  const { verify } = new JwtVerifier(keys, options, recorder.checks);
  const error = await errorOf(verify, token, audiences);
  for (const id of ['issuer', 'keys', 'signature'] as const)
    if (recorder.get(id)) recorder.add({ ...skipped(id, reason), ...foundOf(recorder, id) });
  return error;
}

const NOT_CONFIGURED = 'no verifier is configured: set K8S_AUTH_VERIFIER, as in the service';
const BY_API_SERVER = 'checked by the API server';

function foundOf(recorder: CheckRecorder, id: 'issuer' | 'keys' | 'signature') {
  const claims = recorder.unverified?.unverifiedClaims;
  return id === 'issuer' && claims ? { found: claimText(claims, 'iss') } : {};
}

function recordReview(recorder: CheckRecorder, error: unknown): void {
  const subject = {
    id: 'review',
    expected: 'the API server authenticates the token for this audience',
  } as const;
  recorder.add(error === undefined ? passed(subject) : failed(subject, error));
}

function haveAllPassed(recorder: CheckRecorder): boolean {
  return recorder.get('claims')?.status === 'pass' && CHECK_IDS.every((id) => !isProblem(recorder.get(id)));
}

function isProblem(check: CheckRecord | undefined): boolean {
  return check?.status === 'fail' || check?.status === 'unknown';
}

async function errorOf(verify: Verify, token: string, audiences: readonly string[]): Promise<unknown> {
  try {
    await verify(token, audiences);
    return undefined;
  } catch (error) {
    return error;
  }
}

function audiencesOfToken(token: string): readonly string[] {
  return audiencesOf(readUnverifiedClaims(token) ?? {}) ?? [];
}

function outcomeOf(error: unknown, { audiences, verifier }: ExplainRequest): Outcome {
  if (error === undefined) {
    const message = 'the token is genuine; name the audience of the route with --audience to get a verdict';
    return audiences.length > 0 ? { kind: 'accepted', status: 200 } : { kind: 'undecided', message };
  }
  const message = messageOf(error);
  const { code } = error as { readonly code?: string };
  const named = { ...(code !== undefined && { code }), message };
  if (error instanceof VerifierUnavailableError)
    return { kind: 'undecided', ...(verifier && ({ status: 503 } as const)), ...named };
  return { kind: 'refused', status: error instanceof InvalidTokenError ? 401 : 400, ...named };
}
