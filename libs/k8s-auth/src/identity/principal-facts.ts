/**
 * The workload that is calling, as its verified token names it. Deeply immutable: each read of a `Date` returns a new
 * one. JSON contains every field.
 * @publicApi
 */
export interface Principal {
  /** `system:serviceaccount:<namespace>:<serviceAccount>` */
  readonly username: string;
  readonly namespace: string;
  /** The ServiceAccount's name. */
  readonly serviceAccount: string;
  /** Changes when a ServiceAccount is deleted and created again under the same name. */
  readonly serviceAccountUid: string;
  readonly groups: readonly string[];
  /** The pod that the token is bound to (KEP-1205). */
  readonly pod?: { readonly name: string; readonly uid: string };
  /** The node of that pod. Some tokens do not contain the UID of the node. */
  readonly node?: { readonly name: string; readonly uid?: string };
  /** The required audiences that the token is issued for. Empty for a legacy token, which has no audience. */
  readonly audiences: readonly string[];
  /** The token's `iss`. */
  readonly issuer: string;
  /** `JTI=<jti>`, as the API server's audit log writes it (KEP-4193). */
  readonly credentialId?: string;
  readonly issuedAt?: Date;
  readonly expiresAt?: Date;
  /** The kind of the verifier that verified the token. */
  readonly verifiedBy: string;
}

/** Who has the token. */
export interface AccountFacts {
  /** @default derived from the namespace and the ServiceAccount */
  username?: string;
  namespace: string;
  serviceAccount: string;
  serviceAccountUid: string;
  groups?: readonly string[];
  pod?: { name: string; uid: string };
  node?: { name: string; uid?: string };
  credentialId?: string;
}

/** What the token is issued for, by whom, and for how long. */
export interface TokenFacts {
  audiences: readonly string[];
  issuer: string;
  issuedAtMs?: number;
  expiresAtMs?: number;
  /** The kind of the verifier. */
  verifiedBy: string;
}

/** The facts that a verifier supplies. The other fields of a {@link Principal} are derived from them. @internal */
export type PrincipalFacts = AccountFacts & TokenFacts;
