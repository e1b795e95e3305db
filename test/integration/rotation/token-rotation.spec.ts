import { afterEach, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

const MINUTE_MS = 60_000;

describe.each(EVERYWHERE)('token rotation: $verifier on $adapter', ({ verifier, adapter }) => {
  let scenario: Scenario;
  afterEach(() => scenario?.close());

  /** What `credentialId` the callee saw: names the token on the wire without showing it. */
  const credential = async () => {
    const { status, body } = await scenario.call('/whoami');
    return { status, id: (JSON.parse(body) as { credentialId: string }).credentialId };
  };

  it('a token that is swapped in mid-traffic is used within a minute, and no call fails', async () => {
    scenario = await Scenario.start({ verifier, adapter });
    const before = await credential();
    // Half way through the token's life, when no read is hurried.
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

  it('a file that turns bad keeps the last good token, which ends with its own exp', async () => {
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

  it('401, then the fresh token of the file, within one call', async () => {
    scenario = await Scenario.start({ verifier, adapter });
    await scenario.call();
    // The caller's ServiceAccount is made anew, or the key that signed its token is gone, and the kubelet was faster.
    await scenario.cluster.rotateSigningKey({ keepOld: false });
    scenario.updatePublicKeys();
    await scenario.renewServerToken();
    scenario.volume.rotate();
    // A kept verdict ends, files of keys and key sets may be asked again.
    await scenario.clock.advance(10_000);
    await scenario.expectEventually(200, '/', await scenario.bearer());
    const refusals = scenario.log.matching(/request refused/).length;
    expect((await scenario.call()).status).toBe(200);
    expect(scenario.log.matching(/request refused/)).toHaveLength(refusals + 1);
  });
});
