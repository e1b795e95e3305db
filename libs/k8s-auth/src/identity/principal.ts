import { commonAccount, commonNode } from './common-names.js';
import { formatUsername } from './names.js';
import {
  type AccountFacts,
  type Principal,
  type PrincipalFacts,
  type TokenFacts,
} from './principal-facts.js';

export { type AccountFacts, type Principal, type PrincipalFacts, type TokenFacts };

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
