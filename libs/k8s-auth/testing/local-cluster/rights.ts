import { parseUsername } from '../../src/identity/names.js';
import { type Caller } from './caller.js';

/**
 * What can be granted: no RBAC engine, only what verifying tokens needs.
 * - `create tokenreviews`: as ClusterRole `system:auth-delegator` gives it
 * - `read discovery`: issuer metadata and keys, as ClusterRole `system:service-account-issuer-discovery` gives it
 */
export type Right = 'create tokenreviews' | 'read discovery';

/**
 * `<namespace>/<name>` of a ServiceAccount, or a group: `system:serviceaccounts`, `system:authenticated`,
 * `system:unauthenticated`.
 */
export type Subject = string;

/** Who may do what: as in a stock cluster, every ServiceAccount reads discovery and none creates TokenReviews. */
export class Rights {
  private readonly decisions: Record<Right, Map<Subject, boolean>> = {
    'create tokenreviews': new Map(),
    'read discovery': new Map([['system:serviceaccounts', true]]),
  };

  grant(right: Right, subject: Subject): void {
    this.decisions[right].set(subject, true);
  }

  /** Takes the right away, also from one ServiceAccount whose group has it. */
  revoke(right: Right, subject: Subject): void {
    this.decisions[right].set(subject, false);
  }

  /** Administrators aside. What is said of the ServiceAccount itself goes before what is said of its groups. */
  allows(right: Right, caller: Caller): boolean {
    const account = parseUsername(caller.username);
    const own = account && this.decisions[right].get(`${account.namespace}/${account.name}`);
    return own ?? caller.groups.some((group) => this.decisions[right].get(group) === true);
  }
}
