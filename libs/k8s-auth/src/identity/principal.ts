import { formatUsername } from './names.js';

/**
 * The workload that is calling, as its verified token names it. Deeply immutable; a `Date` is a fresh one at each
 * read; JSON shows every field.
 * @publicApi
 */
export interface Principal {
  /** `system:serviceaccount:<namespace>:<serviceAccount>` */
  readonly username: string;
  readonly namespace: string;
  /** The ServiceAccount's name. */
  readonly serviceAccount: string;
  /** Differs when a ServiceAccount is deleted and made again under the same name. */
  readonly serviceAccountUid: string;
  readonly groups: readonly string[];
  /** The pod that the token is bound to (KEP-1205). */
  readonly pod?: { readonly name: string; readonly uid: string };
  /** The node of that pod; its UID may be unknown to the token. */
  readonly node?: { readonly name: string; readonly uid?: string };
  /** Those of the audiences asked for that the token is made for; empty for a legacy token, which has none. */
  readonly audiences: readonly string[];
  /** The token's `iss`. */
  readonly issuer: string;
  /** `JTI=<jti>`, as the API server's audit log writes it (KEP-4193). */
  readonly credentialId?: string;
  readonly issuedAt?: Date;
  readonly expiresAt?: Date;
  /** The kind of the verifier that vouches for all this. */
  readonly verifiedBy: string;
}

/** What a verifier knows; everything else of a {@link Principal} follows from it. @internal */
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

/** The groups the API server gives every ServiceAccount (serviceaccount.MakeGroupNames, user.AllAuthenticated). */
function groupsOf(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
}
