import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refused, visible } from './support/expectations.fixture.js';
import { Sandbox } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

const TEXT_HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-cache, private',
  'x-content-type-options': 'nosniff',
};

describe.each(TARGETS)('a path of %s', (_name, openTarget) => {
  let sandbox: Sandbox;
  let token: string;

  beforeAll(async () => {
    ({ sandbox, token } = await Sandbox.openAsCheckout(openTarget));
  }, 60_000);

  afterAll(() => sandbox.close());

  it.each([['/healthz'], ['/livez'], ['/readyz']])('%s is open to everybody', async (path) => {
    const answer = await sandbox.api.ask('GET', path, { as: 'nobody' });
    expect(visible(answer)).toEqual({ status: 200, headers: TEXT_HEADERS, body: {} });
    expect(answer.text).toBe('ok');
  });

  it('/version is open to everybody', async () => {
    const { status, body } = await sandbox.api.ask('GET', '/version', { as: 'nobody' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\./) });
  });

  it.each([['/nowhere'], ['/apis/nothing.example/v1/things']])(
    'without an endpoint answers plain text: %s',
    async (path) => {
      const answer = await sandbox.api.ask('GET', path);
      expect(visible(answer)).toEqual({ status: 404, headers: TEXT_HEADERS, body: {} });
      expect(answer.text).toBe('404 page not found\n');
    },
  );

  it.each([['/api/v1/things'], ['/apis/authentication.k8s.io/v1/things']])(
    'of a group without that resource answers a Status object: %s',
    async (path) => {
      expect(visible(await sandbox.api.ask('GET', path))).toEqual(
        refused({
          code: 404,
          reason: 'NotFound',
          message: 'the server could not find the requested resource',
          details: {},
        }),
      );
    },
  );

  it('that does not exist is 403 for callers without rights', async () => {
    const answer = await sandbox.api.ask('GET', '/nowhere', { as: { token } });
    expect(visible(answer)).toEqual(
      refused({
        code: 403,
        reason: 'Forbidden',
        message: `forbidden: User "${sandbox.username('checkout')}" cannot get path "/nowhere"`,
        details: {},
      }),
    );
  });
});
