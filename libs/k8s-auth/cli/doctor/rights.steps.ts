import { type ApiServerClient } from '../../src/api-server/api-server.client.js';
import { readOwnUserName } from '../../src/api-server/own-credential.js';
import { METADATA_PATH } from '../../src/keys/issuer.key-source.js';
import { API_SERVER_JWKS_PATH } from '../../src/keys/key-source.js';
import { describeError, loggable } from '../../src/util/log.js';
import { startDeadline } from '../../src/util/timers.js';
import { type DoctorContext, REQUEST_TIMEOUT_MS } from './doctor-context.js';
import { type Step, stepOf } from './step.js';

const SELF_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** The answer to a SelfSubjectAccessReview (authorization.k8s.io/v1). */
interface Access {
  readonly isAllowed: boolean;
  /** The API server's own text. It names the binding that grants the right, or a role that a binding names in vain. */
  readonly reason: string;
}

/** Whether we may create TokenReviews, which `tokenreview` and `hybrid` need. */
export async function tokenReviewRightStep(client: ApiServerClient, context: DoctorContext): Promise<Step> {
  const step = stepOf('right-tokenreviews');
  const resourceAttributes = { group: 'authentication.k8s.io', resource: 'tokenreviews', verb: 'create' };
  return rightStep(step, [{ resourceAttributes }], client, context, {
    right: 'create tokenreviews',
    clusterRole: 'system:auth-delegator',
  });
}

/** Whether we may read the issuer metadata and the keys. @param isNeeded `false`: forged tokens are only refused later */
export async function discoveryRightStep(
  client: ApiServerClient,
  context: DoctorContext,
  isNeeded: boolean,
): Promise<Step> {
  const paths = [METADATA_PATH, API_SERVER_JWKS_PATH];
  const questions = paths.map((path) => ({ nonResourceAttributes: { path, verb: 'get' } }));
  const step = stepOf('right-discovery');
  return rightStep(isNeeded ? step : { ...step, failed: step.warning }, questions, client, context, {
    right: `get ${paths.join(' and ')}`,
    clusterRole: 'system:service-account-issuer-discovery',
  });
}

async function rightStep(
  step: ReturnType<typeof stepOf<Step['id']>>,
  questions: readonly object[],
  client: ApiServerClient,
  context: DoctorContext,
  { right, clusterRole }: { readonly right: string; readonly clusterRole: string },
): Promise<Step> {
  try {
    const user = await readOwnUserName(client);
    const answers = await Promise.all(questions.map((question) => ask(question, client, context)));
    const denied = answers.find(({ isAllowed }) => !isAllowed);
    if (!denied) {
      const { reason } = answers[0] ?? { reason: '' };
      return step.ok(`${user} may ${right}${reason === '' ? '' : ` (${reason})`}.`);
    }
    const missingRole = /clusterrole\S* "([^"]+)" not found/.exec(denied.reason)?.[1];
    if (missingRole !== undefined)
      return step.failed(
        `${user} may not ${right}: a binding exists, but its ClusterRole ${missingRole} does not; create the role, or bind ${clusterRole}.`,
      );
    return step.failed(
      `${user} may not ${right}: run "${bindCommand(clusterRole, user)}"; a RoleBinding is not enough, because the right is not in a namespace.`,
    );
  } catch (error) {
    return step.warning(`The API server does not tell whether we may ${right}: ${describeError(error)}.`);
  }
}

function bindCommand(clusterRole: string, user: string): string {
  const [, account] = /^system:serviceaccount:(.+)$/.exec(user) ?? [];
  const subject = account === undefined ? `--user=${user}` : `--serviceaccount=${account}`;
  const name = `${account?.replace(':', '-') ?? 'nest-k8s-auth'}-${clusterRole.replace('system:', '')}`;
  return `kubectl create clusterrolebinding ${name} --clusterrole=${clusterRole} ${subject}`;
}

async function ask(spec: object, client: ApiServerClient, { clock }: DoctorContext): Promise<Access> {
  const deadline = startDeadline(clock, REQUEST_TIMEOUT_MS);
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
  try {
    const { status, body } = await client.request({
      method: 'POST',
      path: SELF_REVIEWS,
      body: JSON.stringify(review),
      deadline,
      retry: false,
    });
    if (status !== 200 && status !== 201)
      throw new Error(`the answer to a SelfSubjectAccessReview is ${status}`);
    const { status: access } = JSON.parse(body) as { status?: { allowed?: unknown; reason?: unknown } };
    const reason = typeof access?.reason === 'string' ? loggable(access.reason, 160) : '';
    return { isAllowed: access?.allowed === true, reason };
  } finally {
    deadline.cancel();
  }
}
