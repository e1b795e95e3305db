import { afterEach, describe, expect, it } from '@jest/globals';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

// A separate file, because the rule of AdminController is created once, when its module is loaded.
describe.each(EVERYWHERE)('SERVICE2_ADMINS: $verifier on $adapter', ({ verifier, adapter }) => {
  let scenario: Scenario;
  afterEach(() => scenario?.close());

  it('replaces the ServiceAccounts that may use /admin', async () => {
    const environment = { SERVICE2_ADMINS: 'shop/admin, mytest/default' };
    scenario = await Scenario.start({ verifier, adapter, serverOnly: true, environment });
    const statusFor = async (serviceAccount: string) =>
      (await scenario.request('/admin', await scenario.bearer({ serviceAccount }))).status;
    expect(await statusFor('default')).toBe(200);
    // The default of the variable is not in this list.
    expect(await statusFor('admin')).toBe(403);
  });
});
