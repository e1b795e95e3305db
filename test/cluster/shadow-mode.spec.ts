import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { type Answer, requestFromPod } from './support/request.fixture.js';
import { createToken } from './support/tokens.fixture.js';

/** Long enough for a request that was sent before the pods were replaced. */
const SETUP_MS = 240_000;

const cluster = Cluster.given();
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.of(cluster, 'tokenreview');
  await deployment.rolledOut('service1');
}, SETUP_MS);
afterAll(() => deployment?.remove(), SETUP_MS);

interface Answers {
  readonly anonymous: Answer;
  readonly otherAudience: Answer;
  readonly genuine: Answer;
  readonly notAllowed: Answer;
}

/** One request of each kind of caller. */
async function askService2(): Promise<Answers> {
  const genuine = await createToken(cluster, { audience: 'service2' });
  return {
    anonymous: await requestFromPod(cluster, {}),
    otherAudience: await requestFromPod(cluster, {
      token: await createToken(cluster, { audience: 'other' }),
    }),
    genuine: await requestFromPod(cluster, { token: genuine }),
    notAllowed: await requestFromPod(cluster, { token: genuine, path: '/admin' }),
  };
}

const statuses = (answers: Answers) =>
  Object.fromEntries(Object.entries(answers).map(([name, { status }]: [string, Answer]) => [name, status]));

describe('A service that is in use gets authentication: first in shadow mode', () => {
  let answers: Answers;
  let log: string;

  beforeAll(async () => {
    await deployment.set('service2', { K8S_AUTH_ENFORCE: 'false' });
    answers = await askService2();
    log = await deployment.log('service2');
  }, SETUP_MS);

  it('every request passes', () => {
    expect(statuses(answers)).toEqual({ anonymous: 200, otherAudience: 200, genuine: 200, notAllowed: 200 });
  });

  it('the service still knows the callers whose token is genuine', () => {
    expect(answers.genuine.body).toBe('hello system:serviceaccount:mytest:default');
    expect(JSON.parse(answers.notAllowed.body)).toMatchObject({
      username: 'system:serviceaccount:mytest:default',
    });
  });

  it('the log names the routes that are not enforced, and each request that would be refused', () => {
    expect(log).toMatch(/K8sAuth is not enforced.*HelloController\.hello/);
    for (const code of ['TOKEN_MISSING', 'TOKEN_AUDIENCE', 'PRINCIPAL_FORBIDDEN']) {
      expect(log).toMatch(new RegExp(`request would be refused, but passes.*ERR_K8S_AUTH_${code}`));
    }
  });
});

describe('The service is enforced when all callers send a token', () => {
  let answers: Answers;

  beforeAll(async () => {
    await deployment.set('service2', { K8S_AUTH_ENFORCE: 'true' });
    answers = await askService2();
  }, SETUP_MS);

  it('the same requests are refused, each with its status', () => {
    expect(statuses(answers)).toEqual({ anonymous: 401, otherAudience: 401, genuine: 200, notAllowed: 403 });
  });
});
