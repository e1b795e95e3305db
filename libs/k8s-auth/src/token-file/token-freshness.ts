import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { numericDateMs, type UnverifiedClaims } from '../jwt/jwt-claims.js';
import { readTokenFile } from './token-file.js';
import { readTokenFileLayout, type TokenFileLayout } from './token-file-layout.js';

/** What may be wrong with a token file of this service, although its token is still valid. @publicApi */
export const OWN_TOKEN_PROBLEMS = [
  'OWN_TOKEN_NOT_RENEWED',
  'OWN_TOKEN_SUB_PATH',
  'OWN_TOKEN_LONG_LIVED',
] as const;

/** One of {@link OWN_TOKEN_PROBLEMS}. @publicApi */
export type OwnTokenProblemCode = (typeof OWN_TOKEN_PROBLEMS)[number];

/** A problem of one token file. @publicApi */
export interface OwnTokenProblem {
  readonly code: OwnTokenProblemCode;
  /** One sentence: what was found and what to do. It stays the same as long as the problem does. No token text. */
  readonly reason: string;
}

/** What a look at a token file has found. Contains no token text. @internal */
export interface TokenFileFacts {
  readonly file: string;
  readonly layout: TokenFileLayout;
  /** When the file was written, milliseconds since the epoch. */
  readonly writtenMs: number;
  /** `false`: the token is not a JWT, so nothing is known about its times. */
  readonly isJwt: boolean;
  readonly issuedAtMs?: number;
  readonly expiresAtMs?: number;
  /**
   * The end of the life that was asked for. API servers extend the `exp` of a pod's own API token to one year, and state
   * here when the token should have been replaced (KEP-1205, `kubernetes.io.warnafter`).
   */
  readonly warnAfterMs?: number;
}

/**
 * @throws {TokenSourceError} the file has no token
 * @internal
 */
export async function readTokenFileFacts(
  file: string,
  { mayBeOpaque = false, root = '/' } = {},
): Promise<TokenFileFacts> {
  const { claims } = await readTokenFile(file, mayBeOpaque);
  const [layout, { mtimeMs }] = await Promise.all([readTokenFileLayout(file, root), stat(file)]);
  const issuedAtMs = numericDateMs(claims?.iat);
  const expiresAtMs = numericDateMs(claims?.exp);
  const warnAfterMs = numericDateMs(warnAfterOf(claims));
  return {
    ...{ file, layout, writtenMs: mtimeMs, isJwt: claims !== undefined },
    ...(issuedAtMs !== undefined && { issuedAtMs }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(warnAfterMs !== undefined && { warnAfterMs }),
  };
}

function warnAfterOf(claims: UnverifiedClaims | undefined): unknown {
  const own: unknown = claims?.['kubernetes.io'];
  return typeof own === 'object' && own !== null && Object.hasOwn(own, 'warnafter')
    ? (own as { readonly warnafter?: unknown }).warnafter
    : undefined;
}

/** The kubelet replaces a token at 80 % of its life, and checks about once a minute. */
const RENEWED_BY_SHARE = 0.9;
const DAY_MS = 86_400_000;
/** The kubelet replaces a token after a day at the latest, so a longer life only helps an attacker. */
const MAX_LIFE_MS = 90 * DAY_MS;

/** @returns an empty list if the token is fresh, or not a JWT @internal */
export function findTokenProblems(facts: TokenFileFacts, nowMs: number): OwnTokenProblem[] {
  const { file, layout, isJwt, expiresAtMs, warnAfterMs } = facts;
  const startMs = facts.issuedAtMs ?? facts.writtenMs;
  const endMs = warnAfterMs ?? expiresAtMs ?? Infinity;
  const problems: OwnTokenProblem[] = [];
  if (layout === 'mounted-alone') problems.push(subPathProblem(file));
  if (!isJwt) return problems;
  if (endMs === Infinity)
    problems.push({
      code: 'OWN_TOKEN_LONG_LIVED',
      reason: `the token in ${file} never expires: mount a projected volume with a serviceAccountToken source`,
    });
  else if (endMs - startMs > MAX_LIFE_MS)
    problems.push({
      code: 'OWN_TOKEN_LONG_LIVED',
      reason: `the token in ${file} is valid for ${Math.round((endMs - startMs) / DAY_MS)} days: set a shorter expirationSeconds`,
    });
  if (nowMs >= startMs + RENEWED_BY_SHARE * (endMs - startMs))
    problems.push({
      code: 'OWN_TOKEN_NOT_RENEWED',
      reason: `the token in ${file} is past 90 % of its life and was not replaced: find out why the kubelet does not renew it`,
    });
  return problems;
}

/** Shared with `doctor`, so that both give the same advice. @internal */
export function subPathProblem(file: string): OwnTokenProblem {
  return {
    code: 'OWN_TOKEN_SUB_PATH',
    reason: `${file} is mounted with subPath, so it is never renewed: mount the whole volume, without subPath, at ${dirname(file)}`,
  };
}
