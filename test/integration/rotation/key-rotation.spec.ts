import { afterEach, describe, expect, it } from '@jest/globals';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

describe.each(EVERYWHERE)('signing-key rotation: $verifier on $adapter', ({ verifier, adapter }) => {
  let scenario: Scenario;
  afterEach(() => scenario?.close());

  const status = async (authorization: string) => (await scenario.request('/', authorization)).status;

  it.each(['RS256', 'ES256'] as const)(
    'no call fails when a new %s key was published before it signs',
    async (algorithm) => {
      scenario = await Scenario.start({ verifier, adapter, serverOnly: true });
      const old = await scenario.bearer();
      expect(await status(old)).toBe(200);
      const kid = await scenario.cluster.publishKey(algorithm);
      scenario.updatePublicKeys();
      // A key set is refreshed every 5 min, a file is read every 10 s.
      await scenario.clock.advance(5 * 60_000);
      scenario.cluster.signWith(kid);
      expect(await status(await scenario.bearer())).toBe(200);
      expect(await status(old)).toBe(200);
    },
  );

  it('a new key that signs at once is accepted within 10 s', async () => {
    scenario = await Scenario.start({ verifier, adapter, serverOnly: true });
    expect(await status(await scenario.bearer())).toBe(200);
    await scenario.cluster.rotateSigningKey({ keepOld: true });
    scenario.updatePublicKeys();
    await scenario.clock.advance(10_000);
    await scenario.expectEventually(200, '/', await scenario.bearer());
  });

  it('a token of a removed key is refused', async () => {
    scenario = await Scenario.start({ verifier, adapter, serverOnly: true });
    const old = await scenario.bearer();
    expect(await status(old)).toBe(200);
    await scenario.cluster.rotateSigningKey({ keepOld: false });
    scenario.updatePublicKeys();
    // service2's own token was signed with the removed key, so the kubelet writes a new one.
    await scenario.renewServerToken();
    await scenario.clock.advance(5 * 60_000);
    await scenario.expectEventually(401, '/', old);
    expect(await status(await scenario.bearer())).toBe(200);
  });
});
