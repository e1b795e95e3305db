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

/** An issuer that is read itself. */
export interface IssuerGroup {
  readonly issuer: string;
  readonly keys: KeyProvider;
}

/**
 * The keys of several issuers, each with its own refreshes and its own last good keys. A token is verified with the
 * keys of the issuer that it names and with no others (RFC 8725 §3.8), so an issuer that does not answer is a failure
 * for its own tokens only.
 * @internal
 */
export class KeysByIssuer implements KeyProvider {
  private readonly byIssuer: ReadonlyMap<string, KeyProvider>;
  private readonly accepted: readonly string[];

  /** @param groups at least one */
  constructor(groups: readonly IssuerGroup[]) {
    this.byIssuer = new Map(groups.map(({ issuer, keys }) => [issuer, keys]));
    this.accepted = [...this.byIssuer.keys()];
  }

  start(): void {
    for (const keys of this.byIssuer.values()) keys.start();
  }

  stop(): void {
    for (const keys of this.byIssuer.values()) keys.stop();
  }

  issuers(): readonly string[] {
    return this.accepted;
  }

  knownIssuers(): readonly string[] {
    const fetched = [...this.byIssuer.values()].flatMap((keys) => keys.knownIssuers() ?? []);
    return [...new Set([...this.byIssuer.keys(), ...fetched])];
  }

  find(
    header: UnverifiedHeader,
    issuer: string,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    return this.byIssuer.get(issuer)?.find(header, issuer) ?? [];
  }

  /** Ready when at least one issuer is: one that is gone for good is not a failure of the service. */
  readiness(): Readiness {
    const all = [...this.byIssuer.values()].map((keys) => keys.readiness());
    const first = (status: Readiness['status']) => all.find((readiness) => readiness.status === status);
    return first('ready') ?? first('degraded') ?? all[0] ?? { status: 'not-ready' };
  }
}
