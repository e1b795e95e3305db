import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Application,
  APPLICATIONS,
  ApplicationProcess,
  buildOnce,
  type LaunchOptions,
  OWN_PID_NAMESPACE,
} from './application-process.fixture.js';

const BUILD_MS = 120_000;
const RUN_MS = 30_000;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const INVALID = {
  service1: { environment: { TARGET_URL: '' }, message: 'TARGET_URL: expected an http or https URL' },
  service2: { environment: { K8S_AUTH_VERIFIER: 'saml' }, message: 'K8S_AUTH_VERIFIER' },
};

beforeAll(buildOnce, BUILD_MS);

describe('ending an ordinary process', () => {
  endings({ asPid1: false });
});
// A container's process is PID 1 of its namespace, which ignores signals without a handler.
(OWN_PID_NAMESPACE ? describe : describe.skip)(
  OWN_PID_NAMESPACE ? 'ending PID 1' : 'ending PID 1 (skipped: this machine does not allow unshare --pid)',
  () => endings({ asPid1: true }),
);

function endings({ asPid1 }: { asPid1: boolean }): void {
  let running: ApplicationProcess | undefined;
  afterEach(() => running?.signal('SIGKILL').catch(() => undefined));

  const launch = async (name: Application, options?: LaunchOptions) =>
    (running = await ApplicationProcess.launch(name, { asPid1, ...options }));

  describe.each(APPLICATIONS)('%s', (name) => {
    it.each(SIGNALS)(
      '%s while modules load ends it at once',
      async (signal) => {
        const application = await launch(name, { signalAtOnce: signal });
        expect(await application.ended).toBe(0);
        expect(application.lines).toEqual(['(ended)']);
      },
      RUN_MS,
    );

    it.each(SIGNALS)(
      '%s ends it when it runs, whatever connections are open',
      async (signal) => {
        const application = await launch(name);
        await application.connect();
        const keptAlive = await application.connect();
        keptAlive.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await new Promise((resolve) => keptAlive.once('data', resolve));
        expect(await application.signal(signal)).toBe(0);
        expect(application.text).not.toMatch(/ERROR|Error/);
      },
      RUN_MS,
    );

    it(
      'an error at startup ends it with the error message and a failure code',
      async () => {
        const application = await launch(name, { environment: INVALID[name].environment });
        expect(await application.ended).toBe(1);
        expect(application.text).toContain(INVALID[name].message);
      },
      RUN_MS,
    );
  });

  it(
    'a second signal changes nothing',
    async () => {
      const application = await launch('service2');
      await application.connect();
      void application.signal('SIGTERM');
      expect(await application.signal('SIGINT')).toBe(0);
    },
    RUN_MS,
  );
}
