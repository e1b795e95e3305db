import { formatUsername } from '../../src/identity/names.js';

/** The user that sends a request, in the form that the API server uses. */
export interface Caller {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a verified token says about its owner. */
export interface TokenOwner {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly pod?: { readonly name: string; readonly uid: string };
  readonly node?: { readonly name: string; readonly uid?: string };
  readonly jti?: string;
}

export const ANONYMOUS: Caller = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

const ADMINISTRATORS = 'system:masters';
const AUTHENTICATED = 'system:authenticated';

export function isAdministrator({ groups }: Caller): boolean {
  return groups.includes(ADMINISTRATORS);
}

export function isAuthenticated({ groups }: Caller): boolean {
  return groups.includes(AUTHENTICATED);
}

/** The user of a client certificate: CN is the name, each O a group. */
export function certificateCaller(commonName: string, organizations: readonly string[]): Caller {
  return { username: commonName, groups: [...organizations, AUTHENTICATED] };
}

/** User, groups and extra of a ServiceAccount (pkg/serviceaccount ServiceAccountInfo.UserInfo). */
export function serviceAccountCaller({ namespace, name, uid, pod, node, jti }: TokenOwner): Caller {
  const extra = Object.fromEntries(
    [
      ['credential-id', jti && `JTI=${jti}`],
      ['node-name', node?.name],
      ['node-uid', node?.uid],
      ['pod-name', pod?.name],
      ['pod-uid', pod?.uid],
    ].flatMap(([key, value]) => (value ? [[`authentication.kubernetes.io/${key}`, [value]]] : [])),
  ) as Record<string, readonly string[]>;
  return {
    username: formatUsername({ namespace, name }),
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}
