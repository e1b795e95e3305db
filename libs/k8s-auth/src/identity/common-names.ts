import { type AccountFacts, type Principal } from './principal-facts.js';

// More ServiceAccounts and nodes than one service usually has callers from.
const MAX_ENTRIES = 1_000;

/** What the principals of one ServiceAccount have in common. */
export type CommonAccount = Pick<
  Principal,
  'username' | 'namespace' | 'serviceAccount' | 'serviceAccountUid' | 'groups' | 'issuer'
>;

type Node = NonNullable<Principal['node']>;

const accounts = new Map<string, CommonAccount>();
const nodes = new Map<string, Node>();
const groupsByNamespace = new Map<string, readonly string[]>();

/**
 * The names of a ServiceAccount, each kept once for all of its tokens. A service has many tokens of few ServiceAccounts,
 * and these names would take a fifth of the memory of each.
 */
export function commonAccount(username: string, account: AccountFacts, issuer: string): CommonAccount {
  const { namespace, serviceAccount, serviceAccountUid, groups } = account;
  const known = accounts.get(username);
  if (
    known !== undefined &&
    known.serviceAccountUid === serviceAccountUid &&
    known.issuer === issuer &&
    known.namespace === namespace &&
    known.serviceAccount === serviceAccount &&
    (groups ? isSameList(known.groups, groups) : known.groups === usualGroups(namespace))
  )
    return known;
  return keep(accounts, username, {
    username,
    namespace,
    serviceAccount,
    serviceAccountUid,
    groups: commonGroups(groups, namespace),
    issuer,
  });
}

/** A node, kept once for all principals of its pods. */
export function commonNode({ name, uid }: Node): Node {
  const known = nodes.get(name);
  if (known !== undefined && known.uid === uid) return known;
  return keep(nodes, name, Object.freeze(uid === undefined ? { name } : { name, uid }));
}

/** The groups that the API server gives to every ServiceAccount (serviceaccount.MakeGroupNames, user.AllAuthenticated). */
function usualGroups(namespace: string): readonly string[] {
  const known = groupsByNamespace.get(namespace);
  if (known) return known;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return keep(groupsByNamespace, namespace, Object.freeze(groups));
}

function commonGroups(groups: readonly string[] | undefined, namespace: string): readonly string[] {
  const usual = usualGroups(namespace);
  return groups === undefined || isSameList(groups, usual) ? usual : Object.freeze([...groups]);
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): Value {
  if (map.size >= MAX_ENTRIES) map.clear();
  map.set(key, value);
  return value;
}
