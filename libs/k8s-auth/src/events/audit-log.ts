import { type Log } from '../util/log.js';
import { type K8sAuthListener, type RejectedEvent, type VerifiedEvent } from './event-types.js';

/** The text of each line, so that lines can be selected. */
const AUDITED = 'request audited';

/**
 * Logs one line for each accepted and each refused request. Unlike the lines about refusals, these are never suppressed.
 *
 * `credentialId` is `JTI=<jti>`. The audit log of the API server has the same text for the same token: in
 * `user.extra["authentication.kubernetes.io/credential-id"]` for a request that the token made, and in the annotation
 * `authentication.kubernetes.io/issued-credential-id` for the request that issued it (KEP-4193).
 * @internal
 */
export class AuditLog implements K8sAuthListener {
  constructor(private readonly log: Log) {}

  onVerified({ route, principal }: VerifiedEvent): void {
    const { username, credentialId, serviceAccountUid, pod, node } = principal;
    this.log.log({
      message: AUDITED,
      outcome: 'accepted',
      route,
      sub: username,
      uid: serviceAccountUid,
      ...(credentialId !== undefined && { credentialId }),
      ...(pod && { pod: pod.name, podUid: pod.uid }),
      ...(node && { node: node.name }),
      verified: true,
    });
  }

  onRejected({ route, outcome, code, caller }: RejectedEvent): void {
    this.log.log({ message: AUDITED, outcome, code, route, ...caller });
  }
}
