import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findOptionMistakes } from '../config/options.js';
import { optionsFromEnvironment } from '../config/environment.js';
import { closeApps, startupMistakes } from '../../test-support/inbound-app.js';
import { K8sAuth } from '../inbound/k8s-auth.decorators.js';

afterEach(closeApps);

describe('audiences at startup', () => {
  it.each<[unknown]>([[[]], [''], [['orders', 'orders']], [[' orders']], ['two\nlines']])(
    'rejects %j from a decorator, an option and the environment with the same message',
    async (audience) => {
      const rule =
        'a name, or a list of one or more different names, none of them empty or with white space around it';
      @Controller()
      class WrongController {
        @Get() @K8sAuth(audience as string) wrong() {}
      }
      expect(await startupMistakes({ controllers: [WrongController] })).toEqual([
        `WrongController.wrong: expected the audience of @K8sAuth to be ${rule}`,
      ]);
      const verifier = { kind: 'oidc-discovery' };
      expect(findOptionMistakes({ verifier, audience })).toEqual([
        { path: 'audience', message: `expected ${rule}` },
      ]);
      const variables = { K8S_AUTH_VERIFIER: 'oidc-discovery', K8S_AUTH_AUDIENCE: 'orders,,items' };
      expect(optionsFromEnvironment(variables).mistakes).toEqual([`K8S_AUTH_AUDIENCE: expected ${rule}`]);
    },
  );
});
