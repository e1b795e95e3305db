import { type UnverifiedJws } from '../../src/jwt/compact-jws.js';
import { type VerificationKey } from '../../src/jwt/verification-key.js';
import { loggable } from '../../src/util/log.js';
import { type JwtChecks, jwtChecks, type VerifierKeys } from '../../src/verifiers/jwt-checks.js';
import {
  type CheckId,
  type CheckRecord,
  type CheckSubject,
  failed,
  passed,
  skipped,
} from './check-record.js';
import { claimText, holderText, timesText } from './claim-text.js';

/**
 * Makes the checks of a local verification with the library's own functions, and records each result.
 *
 * A check that fails does not end the verification, so that one run shows every mistake. The verification never accepts
 * such a token: the last check throws the first failure, which is the error that the guard would throw. Use a recorder
 * for one verification of one token.
 */
export class CheckRecorder {
  private readonly found = new Map<CheckId, CheckRecord>();
  private firstFailure: { readonly error: unknown } | undefined;
  private jws: UnverifiedJws | undefined;
  private areIssuersKnown = true;
  private areKeysKnown = true;

  /** @param isAudienceNamed `false`: the user has named no audience, so there is none to expect */
  constructor(private readonly isAudienceNamed: boolean) {}

  /** For the verifier that is explained. */
  readonly checks: JwtChecks = {
    keys: (keys) => this.recordKeys(keys),
    parse: (token) => {
      const subject = { id: 'format', expected: 'three parts of base64url with JSON in it' } as const;
      // Nothing else can be checked if this fails.
      this.jws = this.run(subject, () => jwtChecks.parse(token));
      const { alg, kid } = this.jws.unverifiedHeader;
      this.add({ ...passed(subject), found: loggable(`alg ${alg}, kid ${kid ?? 'none'}`) });
      return this.jws;
    },
    issuer: (claims, issuers) => {
      const found = claimText(claims, 'iss');
      if (!this.areIssuersKnown) return found;
      const expected = issuers.join(' or ');
      return this.attempt({ id: 'issuer', expected, found }, found, () => jwtChecks.issuer(claims, issuers));
    },
    times: (claims, now) => {
      const toleranceS = now.clockToleranceMs / 1000;
      const expected = `valid at ${new Date(now.nowMs).toISOString()}, with a tolerance of ${toleranceS} s`;
      const subject = { id: 'times', expected, found: timesText(claims) } as const;
      return this.attempt(subject, {}, () => jwtChecks.times(claims, now));
    },
    signature: (jws, candidates) => this.recordSignature(jws, candidates),
    expiry: (times) => {
      if (this.found.get('times')?.status !== 'pass') return 0;
      const subject = { id: 'times', expected: 'a token with "exp"', found: 'no exp' } as const;
      const record = this.found.get('times');
      const expiresAtMs = this.attempt(subject, 0, () => jwtChecks.expiry(times));
      if (record && expiresAtMs > 0) this.add(record);
      return expiresAtMs;
    },
    audiences: (claims, required) => {
      const found = claimText(claims, 'aud');
      const expected = required.join(' or ');
      if (this.isAudienceNamed)
        return this.attempt({ id: 'audience', expected, found }, [], () =>
          jwtChecks.audiences(claims, required),
        );
      this.add({ ...skipped('audience', 'name the audience of the route with --audience'), found });
      return required;
    },
    boundClaims: (claims) => this.recordHolder(claims, () => jwtChecks.boundClaims(claims)),
    legacyClaims: (claims) => {
      this.add(skipped('audience', 'legacy tokens have no audience'));
      return this.recordHolder(claims, () => jwtChecks.legacyClaims(claims));
    },
  };

  /** The checks that were made. */
  get(id: CheckId): CheckRecord | undefined {
    return this.found.get(id);
  }

  /** Adds a record, or replaces the record of the same check. */
  add(record: CheckRecord): void {
    this.found.set(record.id, record);
  }

  /** The token in its parts; `undefined` if it does not have the shape of a JWT. */
  get unverified(): UnverifiedJws | undefined {
    return this.jws;
  }

  private recordKeys(keys: VerifierKeys): VerifierKeys {
    const subject = (): CheckSubject => ({ id: 'keys', expected: this.keyText() });
    const noKeys = (error: unknown): readonly VerificationKey[] => {
      this.areKeysKnown = false;
      this.note(subject(), error);
      return [];
    };
    const noIssuers = (error: unknown): readonly string[] => {
      this.areIssuersKnown = false;
      this.note({ id: 'issuer', expected: 'an issuer that is not known now' }, error);
      return [];
    };
    const count = (candidates: readonly VerificationKey[]): readonly VerificationKey[] => {
      const status = candidates.length > 0 ? 'pass' : 'fail';
      this.add({ ...subject(), status, found: `${candidates.length} of the keys of the issuer` });
      return candidates;
    };
    return {
      trusts: (key, issuer) => keys.trusts(key, issuer),
      issuers: () =>
        settle(
          () => keys.issuers(),
          (issuers) => issuers,
          noIssuers,
        ),
      find: (header, issuer) => settle(() => keys.find(header, issuer), count, noKeys),
    };
  }

  private recordSignature(jws: UnverifiedJws, candidates: readonly VerificationKey[]) {
    const subject: CheckSubject = { id: 'signature', expected: 'a valid signature of one of these keys' };
    if (!this.areKeysKnown) {
      this.add({ ...subject, status: 'unknown' });
      return NO_KEY;
    }
    return settle(
      () => jwtChecks.signature(jws, candidates),
      (key) => {
        this.add({ ...passed(subject), found: `signed with ${key.algorithm} by the key ${key.keyId}` });
        return key;
      },
      (error) => {
        this.note(subject, error);
        return NO_KEY;
      },
    );
  }

  private recordHolder<Facts>(claims: UnverifiedJws['unverifiedClaims'], read: () => Facts): Facts {
    const subject: CheckSubject = {
      id: 'claims',
      expected: 'the claims of one ServiceAccount, as Kubernetes writes them',
      found: holderText(claims),
    };
    const facts = this.attempt(subject, undefined, read);
    if (this.firstFailure) throw this.firstFailure.error;
    return facts as Facts;
  }

  private keyText(): string {
    const kid = this.jws?.unverifiedHeader.kid;
    return kid === undefined ? 'a key of this algorithm' : `a key with the kid ${loggable(kid)}`;
  }

  /** Runs a check that the verification cannot continue without. */
  private run<Value>(subject: CheckSubject, check: () => Value): Value {
    try {
      return check();
    } catch (error) {
      this.note(subject, error);
      throw error;
    }
  }

  private attempt<Value>(subject: CheckSubject, fallback: Value, check: () => Value): Value {
    try {
      const value = check();
      this.add(passed(subject));
      return value;
    } catch (error) {
      this.note(subject, error);
      return fallback;
    }
  }

  private note(subject: CheckSubject, error: unknown): void {
    this.firstFailure ??= { error };
    this.add(failed(subject, error));
  }
}

/** Stands for the key of a signature that was not verified. Such a verification never returns a verdict. */
const NO_KEY = { keyId: '', algorithm: 'RS256' } as VerificationKey;

/** Continues synchronously, or after the promise, with the value or the error. */
function settle<Value>(
  get: () => Value | Promise<Value>,
  onValue: (value: Value) => Value,
  onError: (error: unknown) => Value,
): Value | Promise<Value> {
  try {
    const value = get();
    return value instanceof Promise ? value.then(onValue, onError) : onValue(value);
  } catch (error) {
    return onError(error);
  }
}
