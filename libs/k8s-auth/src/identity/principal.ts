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

/** The facts that a verifier supplies. The other fields of a {@link Principal} are derived from them. @internal */
export interface PrincipalFacts {
  namespace: string;
  serviceAccount: string;
  serviceAccountUid: string;
  groups?: readonly string[];
  pod?: { name: string; uid: string };
  node?: { name: string; uid?: string };
  audiences: readonly string[];
  issuer: string;
  credentialId?: string;
  issuedAtMs?: number;
  expiresAtMs?: number;
  verifiedBy: string;
}

/** @internal */
export function createPrincipal(facts: PrincipalFacts): Principal {
  const { namespace, serviceAccount, pod, node, credentialId } = facts;
  const principal = {
    username: formatUsername({ namespace, name: serviceAccount }),
    namespace,
    serviceAccount,
    serviceAccountUid: facts.serviceAccountUid,
    groups: Object.freeze([...(facts.groups ?? groupsOf(namespace))]),
    ...(pod && { pod: Object.freeze({ ...pod }) }),
    ...(node && { node: Object.freeze({ ...node }) }),
    audiences: Object.freeze([...facts.audiences]),
    issuer: facts.issuer,
    ...(credentialId !== undefined && { credentialId }),
    verifiedBy: facts.verifiedBy,
  };
  return Object.freeze(Object.defineProperties(principal, dates(facts)));
}

/** Getters, because a frozen object can still hold a Date that setTime() changes. */
function dates({ issuedAtMs, expiresAtMs }: PrincipalFacts): PropertyDescriptorMap {
  const properties: PropertyDescriptorMap = {};
  if (issuedAtMs !== undefined) properties.issuedAt = { enumerable: true, get: () => new Date(issuedAtMs) };
  if (expiresAtMs !== undefined)
    properties.expiresAt = { enumerable: true, get: () => new Date(expiresAtMs) };
  return properties;
}

/** The groups that the API server gives to every ServiceAccount (serviceaccount.MakeGroupNames, user.AllAuthenticated). */
function groupsOf(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
}
