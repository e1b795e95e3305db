import { parseUsername } from '../../src/identity/names.js';
import { type Caller } from './caller.js';

/**
 * The rights that can be granted. This is not an RBAC engine: only the rights for verifying tokens exist.
 * - `create tokenreviews`: as ClusterRole `system:auth-delegator` gives it
 * - `read discovery`: issuer metadata and keys, as ClusterRole `system:service-account-issuer-discovery` gives it
 */
export type Right = 'create tokenreviews' | 'read discovery';

/**
 * `<namespace>/<name>` of a ServiceAccount, or a group: `system:serviceaccounts`, `system:authenticated`,
 * `system:unauthenticated`.
 */
export type Subject = string;

/**
 * The granted rights. As in a cluster with default settings, every ServiceAccount may read discovery and none may
 * create TokenReviews.
 */
export class Rights {
  private readonly decisions: Record<Right, Map<Subject, boolean>> = {
    'create tokenreviews': new Map(),
    'read discovery': new Map([['system:serviceaccounts', true]]),
  };

  grant(right: Right, subject: Subject): void {
    this.decisions[right].set(subject, true);
  }

  /** Revokes the right, also for a single ServiceAccount whose group has it. */
  revoke(right: Right, subject: Subject): void {
    this.decisions[right].set(subject, false);
  }

  /** Not for administrators. A rule for the ServiceAccount itself overrides the rules for its groups. */
  allows(right: Right, caller: Caller): boolean {
    return this.grantee(right, caller) !== undefined;
  }

  /** @returns the ServiceAccount or the group of this caller that has the right */
  grantee(right: Right, caller: Caller): Subject | undefined {
    const account = parseUsername(caller.username);
    const path = account && `${account.namespace}/${account.name}`;
    const own = path === undefined ? undefined : this.decisions[right].get(path);
    if (own !== undefined) return own ? path : undefined;
    return caller.groups.find((group) => this.decisions[right].get(group) === true);
  }
}
