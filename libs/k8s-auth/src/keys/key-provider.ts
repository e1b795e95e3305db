import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type VerificationKey } from '../jwt/verification-key.js';
import { type Readiness } from '../util/readiness.js';

/** @publicApi */
export interface KeyStatistics {
  /** The number of keys that are in use. */
  readonly count: number;
  /** Time since the last successful fetch, milliseconds; of several issuers, the longest. Omitted if there are no keys. */
  readonly ageMs?: number;
}

/** Which issuers a local verifier trusts, and the keys of each. */
export interface KeyProvider {
  /** The accepted `iss` values. @throws {VerifierUnavailableError} they are not known yet */
  issuers(): readonly string[] | Promise<readonly string[]>;

  /**
   * The keys of this issuer that may have signed the token. Returns them synchronously if any is known.
   * @returns an empty list if the issuer certainly has no such key
   * @throws {VerifierUnavailableError} it is unknown now whether the issuer has such a key
   */
  find(
    header: UnverifiedHeader,
    issuer: string,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]>;

  /**
   * Whether a token that was verified with this key is still good: the key and the issuer are still in use. Called for each
   * request, so it is synchronous and fetches nothing.
   * @param issuer omitted for a token that names no issuer of its own
   */
  trusts(key: VerificationKey, issuer?: string): boolean;

  /** The issuers that are known without waiting; `undefined` while none is known. */
  knownIssuers(): readonly string[] | undefined;

  statistics(): KeyStatistics;

  start(): void;
  readiness(): Readiness;
  stop(): void;
}

/** An issuer, and the keys that are read from it. */
export interface IssuerGroup {
  readonly issuer: string;
  readonly keys: KeyProvider;
}

/**
 * The keys of several issuers, each with its own refreshes and its own last good keys. A token is verified only with
 * the keys of the issuer that it names (RFC 8725 §3.8), so an unreachable issuer affects only its own tokens.
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

  trusts(key: VerificationKey, issuer: string): boolean {
    return this.byIssuer.get(issuer)?.trusts(key, issuer) ?? false;
  }

  statistics(): KeyStatistics {
    const all = [...this.byIssuer.values()].map((keys) => keys.statistics());
    const ages = all.flatMap(({ ageMs }) => ageMs ?? []);
    const count = all.reduce((sum, one) => sum + one.count, 0);
    return { count, ...(ages.length > 0 && { ageMs: Math.max(...ages) }) };
  }

  /** Ready if at least one issuer is ready: an issuer that was shut down must not make the service unready. */
  readiness(): Readiness {
    const all = [...this.byIssuer.values()].map((keys) => keys.readiness());
    const first = (status: Readiness['status']) => all.find((readiness) => readiness.status === status);
    return first('ready') ?? first('degraded') ?? all[0] ?? { status: 'not-ready' };
  }
}
