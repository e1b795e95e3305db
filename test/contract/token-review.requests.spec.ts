import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { REFUSED_CREDENTIAL, refused, visible } from './support/expectations.fixture.js';
import { Sandbox, TOKEN_REVIEWS } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

describe.each(TARGETS)('a request for a TokenReview to %s', (_name, openTarget) => {
  let sandbox: Sandbox;
  let reviewer: string;
  let powerless: string;

  beforeAll(async () => {
    sandbox = await Sandbox.open(openTarget);
    await sandbox.createServiceAccount('checkout');
    reviewer = await sandbox.createReviewer();
    powerless = await sandbox.tokenOf('checkout');
  }, 60_000);

  afterAll(() => sandbox.close());

  const ask = (body: unknown, headers?: Record<string, string>) =>
    sandbox.api.ask('POST', TOKEN_REVIEWS, { as: { token: reviewer }, body, headers });

  it.each([
    ['with an empty token', { token: '' }],
    ['without one', {}],
  ])('is 400 %s', async (_, spec) => {
    expect(visible(await ask({ spec }))).toEqual(
      refused({
        code: 400,
        reason: 'BadRequest',
        message: 'token is required for TokenReview in authentication',
      }),
    );
  });

  it.each([
    ['a token that is not a string', { spec: { token: 7 } }],
    ['audiences that are not a list', { spec: { token: 'x', audiences: 'y' } }],
    ['a spec that is not an object', { spec: 'x' }],
  ])('is 400 with %s', async (_, body) => {
    expect(visible(await ask(body))).toEqual(
      refused({
        code: 400,
        reason: 'BadRequest',
        message: 'TokenReview in version "v1" cannot be handled as a TokenReview',
      }),
    );
  });

  it('is 400 with an object of another kind', async () => {
    expect(visible(await ask({ kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1' }))).toEqual(
      refused({
        code: 400,
        reason: 'BadRequest',
        message: 'TokenRequest in version "v1" cannot be handled as a TokenReview',
      }),
    );
  });

  it.each([
    ['no body', undefined],
    ['a body that is not JSON', '{"spec'],
    ['a list', '[]'],
  ])('is 400 with %s', async (_, body) => {
    expect(visible(await ask(body))).toEqual(
      refused({
        code: 400,
        reason: 'BadRequest',
        message: 'the object provided is unrecognized (must be of type TokenReview)',
      }),
    );
  });

  it('is 415 for a form', async () => {
    expect(visible(await ask('{}', { 'content-type': 'application/x-www-form-urlencoded' }))).toEqual(
      refused({
        code: 415,
        reason: 'UnsupportedMediaType',
        message: 'the body of the request was in an unknown format',
      }),
    );
  });

  const forbidden = (user: string, verb: string) =>
    refused({
      code: 403,
      reason: 'Forbidden',
      message: `tokenreviews.authentication.k8s.io is forbidden: User "${user}" cannot ${verb} resource "tokenreviews" in API group "authentication.k8s.io" at the cluster scope`,
      details: { group: 'authentication.k8s.io', kind: 'tokenreviews' },
    });

  it('is 403 for a ServiceAccount without the right', async () => {
    const answer = await sandbox.review({ token: powerless }, reviewer);
    expect(visible(answer)).toEqual(forbidden(sandbox.username('checkout'), 'create'));
  });

  it('is 403 for anonymous callers', async () => {
    expect(visible(await sandbox.review('nobody', reviewer))).toEqual(
      forbidden('system:anonymous', 'create'),
    );
  });

  it('is 403 for a request that lists reviews, and 405 for a caller with all rights', async () => {
    const listed = await sandbox.api.ask('GET', TOKEN_REVIEWS, { as: { token: reviewer } });
    expect(visible(listed)).toEqual(forbidden(sandbox.username('reviewer'), 'list'));
    expect(visible(await sandbox.api.ask('GET', TOKEN_REVIEWS))).toEqual(
      refused({
        code: 405,
        reason: 'MethodNotAllowed',
        message: 'the server does not allow this method on the requested resource',
        details: {},
      }),
    );
  });

  it('is 401 without a challenge for a credential that is not a token', async () => {
    const answer = await sandbox.review({ token: 'x.y.z' }, reviewer);
    expect(visible(answer)).toEqual(REFUSED_CREDENTIAL);
  });

  it('is 401 with a credential for another audience', async () => {
    const token = await sandbox.tokenOf('reviewer', { audiences: ['orders'] });
    expect(visible(await sandbox.review({ token }, reviewer))).toEqual(REFUSED_CREDENTIAL);
  });
});
