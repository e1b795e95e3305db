import { afterEach, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

const MINUTE_MS = 60_000;

describe.each(EVERYWHERE)('token rotation: $verifier on $adapter', ({ verifier, adapter }) => {
  let scenario: Scenario;
  afterEach(() => scenario?.close());

  /** The `credentialId` that service2 saw: identifies the token that was sent, without showing it. */
  const credential = async () => {
    const { status, body } = await scenario.call('/whoami');
    return { status, id: (JSON.parse(body) as { credentialId: string }).credentialId };
  };

  it('a token that is replaced during traffic is used within a minute, and no call fails', async () => {
    scenario = await Scenario.start({ verifier, adapter });
    const before = await credential();
    // In the middle of the token's lifetime, when it is read at the normal interval.
    await scenario.clock.advance(200_000);
    expect(await credential()).toEqual(before);
    scenario.volume.rotate();
    const seen = [];
    for (let passedMs = 0; passedMs <= MINUTE_MS; passedMs += 10_000) {
      seen.push(await credential());
      await scenario.clock.advance(10_000);
    }
    expect(seen.map(({ status }) => status)).toEqual(seen.map(() => 200));
    const ids = new Set(seen.map(({ id }) => id));
    expect(ids.size).toBe(2);
    expect(seen.at(-1)?.id).not.toBe(before.id);
  });

  it('the last good token is used until its own exp when the file becomes invalid', async () => {
    scenario = await Scenario.start({ verifier, adapter });
    const before = await credential();
    writeFileSync(scenario.volume.tokenFile, '');
    await scenario.clock.advance(9 * MINUTE_MS);
    expect(await credential()).toEqual(before);
    await scenario.clock.advance(MINUTE_MS);
    await expect(scenario.call()).rejects.toMatchObject({
      name: 'TokenSourceError',
      code: 'ERR_K8S_AUTH_TOKEN_FILE_EXPIRED',
    });
  });

  it('one call sends the new token of the file after a 401', async () => {
    scenario = await Scenario.start({ verifier, adapter });
    await scenario.call();
    // The caller's ServiceAccount was created again, or the key of its token was removed, and the kubelet has already
    // written a new token.
    await scenario.cluster.rotateSigningKey({ keepOld: false });
    scenario.updatePublicKeys();
    await scenario.renewServerToken();
    scenario.volume.rotate();
    // The cached verdict expires, and key files and key sets may be read again.
    await scenario.clock.advance(10_000);
    await scenario.expectEventually(200, '/', await scenario.bearer());
    const refusals = scenario.log.matching(/request refused/).length;
    expect((await scenario.call()).status).toBe(200);
    expect(scenario.log.matching(/request refused/)).toHaveLength(refusals + 1);
  });
});
