import { TokenSourceError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { loggable } from '../util/log.js';
import { type TokenFileContent } from './token-file.js';
import {
  audiencesOf,
  numericDateMs,
  type UnverifiedClaims,
  USUAL_API_SERVER_AUDIENCES,
} from '../jwt/jwt-claims.js';

/** A token that was fit to use when it was read. */
export interface HeldToken {
  readonly token: string;
  /** `exp`; tokens of Secrets have none. */
  readonly expiresAtMs?: number;
  /** From `exp - iat`; without `iat` from the moment it was first read. */
  readonly lifeMs?: number;
  /** The Kubernetes API accepts it, as far as its claims tell. */
  readonly isForApiServer: boolean;
}

// Of tokens in Secrets: without `aud`, which the API server takes for its own.
const LEGACY_ISSUER = 'kubernetes/serviceaccount';

/** @internal */
export interface TokenExpectation {
  readonly file: string;
  readonly audience?: string;
  readonly clock: Clock;
}

/** `exp` is the first moment at which the token is no longer good (RFC 7519 §4.1.4). @internal */
export function hasExpired({ expiresAtMs }: Pick<HeldToken, 'expiresAtMs'>, clock: Clock): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= clock.wallMs();
}

/**
 * Decides whether what a file holds replaces the token in memory. An older token does: the file is the truth.
 * @throws {TokenSourceError} MALFORMED, AUDIENCE or EXPIRED
 * @internal
 */
export function acceptToken(
  { token, claims = {} }: TokenFileContent,
  held: HeldToken | undefined,
  { file, audience, clock }: TokenExpectation,
): HeldToken {
  const expiresAtMs = numericDateMs(claims.exp);
  if (claims.exp !== undefined && expiresAtMs === undefined) {
    throw new TokenSourceError('MALFORMED', file, `"exp" of the token in ${file} is no finite number`);
  }
  if (held && !hasExpired(held, clock) && isCutOff(token, held.token)) {
    throw new TokenSourceError('MALFORMED', file, `token in ${file} is cut off`);
  }
  const audiences = audiencesOf(claims);
  if (audience !== undefined && !audiences?.includes(audience)) {
    const actual = loggable(JSON.stringify(audiences ?? []));
    const message = `"aud" of the token in ${file} has to include ${JSON.stringify(audience)}, is ${actual}`;
    throw new TokenSourceError('AUDIENCE', file, message);
  }
  if (hasExpired({ expiresAtMs }, clock)) {
    throw new TokenSourceError('EXPIRED', file, `token in ${file} has expired`);
  }
  if (held?.token === token) return held;
  const isForApiServer = hasApiServerAudience(claims);
  if (expiresAtMs === undefined) return { token, isForApiServer };
  const lifeMs = expiresAtMs - (numericDateMs(claims.iat) ?? clock.wallMs());
  return { token, expiresAtMs, lifeMs, isForApiServer };
}

/** An API server accepts its issuer as audience when nobody says otherwise. */
function hasApiServerAudience(claims: UnverifiedClaims): boolean {
  const ofApiServer = [...USUAL_API_SERVER_AUDIENCES, claims.iss];
  const audiences = audiencesOf(claims);
  return audiences?.some((audience) => ofApiServer.includes(audience)) ?? claims.iss === LEGACY_ISSUER;
}

/**
 * A file that is written in place can be read half written, and half a signature has the shape of a whole one. The
 * same header with a `kid` means the same key and algorithm (RFC 7515 §4.1.4), hence a signature of the same length.
 */
function isCutOff(token: string, lastGood: string): boolean {
  if (token === lastGood) return false;
  if (lastGood.startsWith(token)) return true;
  const [header = '', , signature = ''] = token.split('.');
  const [lastHeader, , lastSignature = ''] = lastGood.split('.');
  if (header !== lastHeader || signature.length === lastSignature.length) return false;
  return Buffer.from(header, 'base64url').includes('"kid"');
}
