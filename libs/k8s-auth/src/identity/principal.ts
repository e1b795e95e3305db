import { commonAccount, commonNode } from './common-names.js';
import { formatUsername } from './names.js';

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

export function createPrincipal(facts: PrincipalFacts): Principal;
export function createPrincipal(account: AccountFacts, token: TokenFacts): Principal;
/** @internal */
export function createPrincipal(account: AccountFacts | PrincipalFacts, token?: TokenFacts): Principal {
  return new VerifiedPrincipal(account, token ?? (account as PrincipalFacts));
}

/**
 * A class, because each verified token has one of these in memory: an object with its own getters would take four times
 * the memory and the time. The dates are getters, because a frozen object can still hold a Date that setTime() changes.
 * They are own properties, so that copies and JSON contain them.
 */
class VerifiedPrincipal implements Principal {
  // One function for all principals: a function for each of them would make the object slow.
  static readonly #issuedAt: PropertyDescriptor & ThisType<VerifiedPrincipal> = {
    enumerable: true,
    get() {
      return new Date(this.#issuedAtMs);
    },
  };
  static readonly #expiresAt: PropertyDescriptor & ThisType<VerifiedPrincipal> = {
    enumerable: true,
    get() {
      return new Date(this.#expiresAtMs);
    },
  };

  declare readonly username: string;
  declare readonly namespace: string;
  declare readonly serviceAccount: string;
  declare readonly serviceAccountUid: string;
  declare readonly groups: readonly string[];
  declare readonly pod?: NonNullable<Principal['pod']>;
  declare readonly node?: NonNullable<Principal['node']>;
  declare readonly audiences: readonly string[];
  declare readonly issuer: string;
  declare readonly credentialId?: string;
  declare readonly verifiedBy: string;
  declare readonly issuedAt?: Date;
  declare readonly expiresAt?: Date;
  readonly #issuedAtMs: number;
  readonly #expiresAtMs: number;

  constructor(account: AccountFacts, token: TokenFacts) {
    const { namespace, serviceAccount, pod, node, credentialId } = account;
    const { audiences, issuedAtMs, expiresAtMs } = token;
    const username = account.username ?? formatUsername({ namespace, name: serviceAccount });
    const common = commonAccount(username, account, token.issuer);
    this.username = common.username;
    this.namespace = common.namespace;
    this.serviceAccount = common.serviceAccount;
    this.serviceAccountUid = common.serviceAccountUid;
    this.groups = common.groups;
    if (pod) this.pod = Object.freeze({ name: pod.name, uid: pod.uid });
    if (node) this.node = commonNode(node);
    this.audiences = Object.isFrozen(audiences) ? audiences : Object.freeze([...audiences]);
    this.issuer = common.issuer;
    if (credentialId !== undefined) this.credentialId = credentialId;
    this.verifiedBy = token.verifiedBy;
    this.#issuedAtMs = issuedAtMs ?? Number.NaN;
    this.#expiresAtMs = expiresAtMs ?? Number.NaN;
    if (issuedAtMs !== undefined) Object.defineProperty(this, 'issuedAt', VerifiedPrincipal.#issuedAt);
    if (expiresAtMs !== undefined) Object.defineProperty(this, 'expiresAt', VerifiedPrincipal.#expiresAt);
    Object.freeze(this);
  }
}
