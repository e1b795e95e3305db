import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { type JwtTrust } from '../verifiers/jwt.verifier.js';
import { type VerificationKey } from '../jwt/verification-key.js';
import { type Readiness } from '../verifiers/token-verifier.js';
import { type RefreshedKeys } from './refreshed-keys.js';

/** Keys, and the issuers whose tokens they verify. */
export interface IssuerGroup {
  /** Omitted: those that come with the keys. */
  readonly issuers?: readonly string[];
  readonly keys: RefreshedKeys;
}

/**
 * The keys of several issuers, each with its own refreshes and its own last good keys. A token is verified with the
 * keys of the issuer that it names and with no others (RFC 8725 §3.8), so an issuer that does not answer is a failure
 * for its own tokens only.
 * @internal
 */
export class KeysByIssuer implements JwtTrust {
  /** @param groups at least one */
  constructor(private readonly groups: readonly [IssuerGroup, ...IssuerGroup[]]) {}

  start(): void {
    for (const { keys } of this.groups) keys.start();
  }

  stop(): void {
    for (const { keys } of this.groups) keys.stop();
  }

  issuers(): readonly string[] | Promise<readonly string[]> {
    return this.configuredIssuers() ?? this.groups[0].keys.issuers();
  }

  candidates(
    header: UnverifiedHeader,
    issuer: string,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    const { keys } = this.groups.find(({ issuers }) => issuers?.includes(issuer)) ?? this.groups[0];
    return keys.candidates(header);
  }

  /** Ready when at least one issuer is: one that is gone for good is not a failure of the service. */
  readiness(): Readiness {
    const all = this.groups.map(({ keys }) => keys.readiness());
    const first = (status: Readiness['status']) => all.find((readiness) => readiness.status === status);
    return first('ready') ?? first('degraded') ?? this.groups[0].keys.readiness();
  }

  /** Without waiting: the configured issuers and those that have come with keys; `undefined` while there are none. */
  knownIssuers(): readonly string[] | undefined {
    const fetched = this.groups.flatMap(({ keys }) => keys.lastKnownIssuers() ?? []);
    const known = [...new Set([...(this.configuredIssuers() ?? []), ...fetched])];
    return known.length > 0 ? known : undefined;
  }

  private configuredIssuers(): readonly string[] | undefined {
    const [{ issuers }] = this.groups;
    return issuers && this.groups.flatMap((group) => group.issuers ?? []);
  }
}
