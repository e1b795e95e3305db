/**
 * Claims of a token that nobody has verified. Good for three things: refusing early what would be refused anyway,
 * telling when our own token file has to be read again, and naming a refused caller in the log. Never for trust.
 */
export interface UnverifiedClaims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly iat?: unknown;
  readonly jti?: unknown;
}

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

/** @returns the payload of a compact JWS (RFC 7515 §7.1), or `undefined` for what does not have that shape. @internal */
export function readUnverifiedClaims(token: string): UnverifiedClaims | undefined {
  const payload = COMPACT_JWS.exec(token)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    // Own properties only: "__proto__" in hostile JSON stays an ordinary member of this copy.
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
      ? Object.assign(Object.create(null) as object, ownKnownClaims(claims))
      : undefined;
  } catch {
    return undefined;
  }
}

const KNOWN = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'] as const;

function ownKnownClaims(claims: object): UnverifiedClaims {
  return Object.fromEntries(
    KNOWN.filter((name) => Object.hasOwn(claims, name)).map((name) => [
      name,
      (claims as UnverifiedClaims)[name],
    ]),
  );
}

/** `aud` as a list (RFC 7519 §4.1.3: a string or a list of strings); `undefined` when absent or neither. @internal */
export function audiencesOf(claims: UnverifiedClaims): readonly string[] | undefined {
  const { aud } = claims;
  if (typeof aud === 'string') return [aud];
  return Array.isArray(aud) && aud.every((entry) => typeof entry === 'string') ? aud : undefined;
}

/** What API servers accept by default (kubeadm, and the older form without a cluster domain). */
export const USUAL_API_SERVER_AUDIENCES: readonly string[] = [
  'https://kubernetes.default.svc',
  'https://kubernetes.default.svc.cluster.local',
];

/** What the token's issuer accepts itself, as far as the token tells: its `iss` and its audiences. @internal */
export function audiencesNamedBy(claims: UnverifiedClaims): readonly string[] {
  const { iss } = claims;
  return [...new Set([...(typeof iss === 'string' ? [iss] : []), ...(audiencesOf(claims) ?? [])])];
}

/** A NumericDate (RFC 7519 §2) in milliseconds; `undefined` when it is no finite number. @internal */
export function numericDateMs(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : undefined;
}
