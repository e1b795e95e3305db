import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { partOf } from './support/expectations.fixture.js';
import { eventually } from './support/eventually.fixture.js';
import { type ReviewStatus, Sandbox } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

describe.each(TARGETS)('a token whose pod or ServiceAccount was deleted, by %s', (_name, openTarget) => {
  let sandbox: Sandbox;
  let reviewer: string;

  beforeAll(async () => {
    sandbox = await Sandbox.open(openTarget);
    reviewer = await sandbox.createReviewer();
  }, 60_000);

  afterAll(() => sandbox.close());

  /** The final verdict: a watch may report the deletion late, and an accepted token is kept for 10 s. */
  const verdictOnce = (token: string, willDo: (verdict: ReviewStatus) => boolean) =>
    eventually(() => sandbox.verdict(reviewer, token, ['orders']), willDo);
  const refusal = (token: string) => verdictOnce(token, ({ authenticated }) => authenticated !== true);
  const refusalThatSays = (token: string, part: string) =>
    verdictOnce(token, ({ error }) => error?.includes(part) === true);

  const podToken = async (name: string) => {
    const { uid } = await sandbox.createPod(name, 'reviewer');
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name, uid };
    return { uid, token: await sandbox.tokenOf('reviewer', { audiences: ['orders'], boundObjectRef }) };
  };

  it('is refused after the pod was deleted', async () => {
    const { token } = await podToken('gone');
    await sandbox.delete('pods/gone');
    expect(await refusal(token)).toEqual({
      user: {},
      error: '[invalid bearer token, service account token has been invalidated]',
    });
  }, 60_000);

  it('is refused after it had been accepted', async () => {
    const { token } = await podToken('known');
    expect(await sandbox.verdict(reviewer, token, ['orders'])).toMatchObject({ authenticated: true });
    await sandbox.delete('pods/known');
    expect(await refusal(token)).toEqual({
      user: {},
      error: '[invalid bearer token, service account token has been invalidated]',
    });
  }, 60_000);

  it('is refused for a pod that was created again with the same name', async () => {
    const { uid, token } = await podToken('again');
    await sandbox.delete('pods/again');
    const { uid: newUid } = await sandbox.createPod('again', 'reviewer');
    expect(await refusalThatSays(token, newUid)).toEqual({
      user: {},
      error: `[invalid bearer token, pod UID (${newUid}) does not match service account pod ref claim (${uid})]`,
    });
  }, 60_000);

  it('is refused after the ServiceAccount was deleted, and after it was created again', async () => {
    const { uid } = await sandbox.createServiceAccount('leaver');
    const token = await sandbox.tokenOf('leaver', { audiences: ['orders'] });
    expect(partOf(token, 1)['kubernetes.io']).toMatchObject({ serviceaccount: { uid } });
    await sandbox.delete('serviceaccounts/leaver');
    expect(await refusal(token)).toEqual({
      user: {},
      error: '[invalid bearer token, serviceaccounts "leaver" not found]',
    });
    const { uid: newUid } = await sandbox.createServiceAccount('leaver');
    expect(await refusalThatSays(token, newUid)).toEqual({
      user: {},
      error: `[invalid bearer token, service account UID (${newUid}) does not match claim (${uid})]`,
    });
  }, 60_000);
});
