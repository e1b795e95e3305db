import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Caller } from './support/contract-api.fixture.js';
import { JSON_HEADERS, REFUSED_CREDENTIAL, refused, visible } from './support/expectations.fixture.js';
import { Sandbox } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

const API_VERSION = 'authorization.k8s.io/v1';
const REVIEWS = `/apis/${API_VERSION}/selfsubjectaccessreviews`;
const TO_REVIEW = {
  resourceAttributes: { group: 'authentication.k8s.io', resource: 'tokenreviews', verb: 'create' },
};
const TO_DISCOVER = { nonResourceAttributes: { path: '/openid/v1/jwks', verb: 'get' } };

describe.each(TARGETS)('SelfSubjectAccessReview of %s', (_name, openTarget) => {
  let sandbox: Sandbox;
  let reviewer: Caller;
  let powerless: Caller;

  beforeAll(async () => {
    sandbox = await Sandbox.open(openTarget);
    await sandbox.createServiceAccount('checkout');
    reviewer = { token: await sandbox.createReviewer() };
    powerless = { token: await sandbox.tokenOf('checkout') };
  }, 60_000);

  afterAll(() => sandbox.close());

  const allowed = (reason?: string) => ({ allowed: true, ...(reason !== undefined && { reason }) });
  const denied = () => ({ allowed: false });
  const ask = (as: Caller, spec: object) => sandbox.api.ask('POST', REVIEWS, { as, body: { spec } });

  it.each([
    [
      'a reviewer create TokenReviews',
      () => reviewer,
      TO_REVIEW,
      () => allowed(`RBAC: allowed by … to ServiceAccount "reviewer/${sandbox.namespace}"`),
    ],
    ['another ServiceAccount create TokenReviews', () => powerless, TO_REVIEW, denied],
    [
      'any ServiceAccount read the keys',
      () => powerless,
      TO_DISCOVER,
      () =>
        allowed(
          'RBAC: allowed by ClusterRoleBinding "system:service-account-issuer-discovery" of ClusterRole ' +
            '"system:service-account-issuer-discovery" to Group "system:serviceaccounts"',
        ),
    ],
    [
      'any ServiceAccount read metrics',
      () => powerless,
      { nonResourceAttributes: { path: '/metrics', verb: 'get' } },
      denied,
    ],
    ['the administrator create TokenReviews', () => 'administrator' as const, TO_REVIEW, () => allowed()],
  ])('answers the question: may %s?', async (_, as, spec, statusOf) => {
    expect(visible(await ask(as(), spec))).toEqual({
      status: 201,
      headers: JSON_HEADERS,
      body: {
        kind: 'SelfSubjectAccessReview',
        apiVersion: API_VERSION,
        metadata: {},
        spec,
        status: statusOf(),
      },
    });
  });

  it('is refused to anonymous callers', async () => {
    expect(visible(await ask('nobody', TO_REVIEW))).toEqual(
      refused({
        code: 403,
        reason: 'Forbidden',
        message: `selfsubjectaccessreviews.authorization.k8s.io is forbidden: User "system:anonymous" cannot create resource "selfsubjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope`,
        details: { group: 'authorization.k8s.io', kind: 'selfsubjectaccessreviews' },
      }),
    );
  });

  it('is 401 with an invalid credential', async () => {
    expect(visible(await ask({ token: 'x.y.z' }, TO_REVIEW))).toEqual(REFUSED_CREDENTIAL);
  });

  it.each([
    [
      'neither question',
      {},
      'spec.resourceAttributes',
      'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ],
    [
      'both questions',
      { ...TO_REVIEW, ...TO_DISCOVER },
      'spec.nonResourceAttributes',
      'Invalid value: {"Path":"/openid/v1/jwks","Verb":"get"}: cannot be specified in combination with resourceAttributes',
    ],
  ])('is 422 with %s', async (_, spec, field, message) => {
    expect(visible(await ask(powerless, spec))).toEqual(
      refused({
        code: 422,
        reason: 'Invalid',
        message: `.authorization.k8s.io "" is invalid: ${field}: ${message}`,
        details: {
          group: 'authorization.k8s.io',
          causes: [{ reason: 'FieldValueInvalid', message, field }],
        },
      }),
    );
  });
});
