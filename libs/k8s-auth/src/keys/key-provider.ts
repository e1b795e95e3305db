import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type VerificationKey } from '../jwt/verification-key.js';
import { type Readiness } from '../util/readiness.js';

/** Which issuers a local verifier trusts, and the keys of each. */
export interface KeyProvider {
  /** The accepted `iss` values. @throws {VerifierUnavailableError} not known yet */
  issuers(): readonly string[] | Promise<readonly string[]>;

  /**
   * Keys of this issuer that may have signed, synchronously where one is known.
   * @returns none when there certainly are none
   * @throws {VerifierUnavailableError} nobody can tell now
   */
  find(
    header: UnverifiedHeader,
    issuer: string,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]>;

  /** The issuers that are known without waiting; `undefined` while there are none. */
  knownIssuers(): readonly string[] | undefined;

  start(): void;
  readiness(): Readiness;
  stop(): void;
}
