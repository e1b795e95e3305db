import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { verifierKinds } from '../../libs/k8s-auth/src/verifiers/index.js';
import { IN_CHROMIUM, openPage, type WatchedPage } from './browser.fixture.js';
import { PageUser } from './demo.fixture.js';
import { describeWithChromium, startSuite } from './suite.fixture.js';

const RUN_MS = 180_000;

describeWithChromium(`the live page of npm start ${IN_CHROMIUM}`, () => {
  const suite = startSuite();
  let watched: WatchedPage;
  let user: PageUser;

  beforeEach(async () => {
    watched = await openPage(suite.browser, suite.demo.url, { viewport: { width: 1440, height: 900 } });
    user = new PageUser(watched.page);
  }, RUN_MS);
  afterEach(async () => {
    const { page, problems } = watched;
    await page.close();
    if (problems.length > 0) throw new Error(`the page reports: ${problems.join(', ')}`);
  });

  describe.each(verifierKinds)('with %s', (kind) => {
    const asksApiServer = ['tokenreview', 'hybrid'].includes(kind);

    beforeEach(() => user.useVerifier(kind), RUN_MS);

    it(
      'shows the status, the failed check and the log line of each call that a button sends',
      async () => {
        expect(await user.send('send-valid')).toBe('200');
        expect(await user.verdict()).toContain('accepted 200');
        expect(await user.send('send-without')).toBe('401');
        expect(await watched.page.locator('#claims-body').innerText()).toContain('no token');
        for (const [id, code, check] of [
          ['send-forged', 'SIGNATURE', 'signature'],
          ['send-expired', 'EXPIRED', 'times'],
          ['send-foreign', 'ISSUER', 'issuer'],
          ['send-misdirected', 'AUDIENCE', 'audience'],
        ] as const) {
          expect(`${id} ${await user.send(id)}`).toBe(`${id} 401`);
          expect(`${id} ${await user.verdict()}`).toMatch(/ refused 401 ERR_K8S_AUTH_TOKEN_/);
          // With tokenreview, the API server makes the checks.
          const failed = kind === 'tokenreview' ? 'review' : check;
          expect(`${id} ${failed} ${await user.check(failed)}`).toBe(`${id} ${failed} failed`);
          const logged = new RegExp(`ERR_K8S_AUTH_TOKEN_${kind === 'tokenreview' ? '' : code}`);
          await watched.page.locator('#answer-body pre', { hasText: logged }).waitFor();
          expect(await watched.page.locator('#answer-body').innerText()).toContain('What to do');
        }
        expect(await user.send('send-forbidden')).toBe('403');
        expect(await user.verdict()).toContain('accepted 200');
        expect(await watched.page.locator('#checks-body').innerText()).toContain('A rule of the route');
      },
      RUN_MS,
    );

    it(
      'shows what a deleted ServiceAccount and a deleted pod change, and undoes it',
      async () => {
        for (const [id, undo, text] of [
          ['account', 'Create the ServiceAccount again', /mytest\/default deleted/],
          ['pod', 'Start another pod', /pod mytest\/default-\w+ deleted/],
        ] as const) {
          await user.press(id);
          await user.note(text).waitFor();
          expect(await watched.page.locator(`#${id}`).innerText()).toContain(undo);
          expect(await user.card('service1').innerText()).toContain('is deleted');
          await user.send('send-valid');
          expect(`${id} ${await user.verdict()}`).toContain(
            `${id} ${asksApiServer ? 'refused 401' : 'accepted 200'}`,
          );
          const [check, result] = asksApiServer ? ['review', 'failed'] : ['signature', 'passed'];
          expect(`${check} ${await user.check(check)}`).toBe(`${check} ${result}`);
          await user.press(id);
          await user.note(/created again|pod .* started/).waitFor();
          expect(await user.send('send-valid')).toBe('200');
        }
      },
      RUN_MS,
    );

    it(
      'shows what a changed audience does to service1, and restores it',
      async () => {
        await user.press('audience');
        await user.note('its token is issued for another-service').waitFor();
        expect(await user.send('send-valid')).toBe('401');
        await watched.page.locator('#follow[aria-pressed="false"]').click();
        const refused = watched.page.locator('.call', { hasText: 'service1' }).locator('.badge.bad');
        await refused.first().waitFor();
        await user.press('audience');
        await user.note('its token is issued for service2').waitFor();
        expect(await user.send('send-valid')).toBe('200');
        await user.card('service1').locator('.badge', { hasText: 'ready' }).waitFor();
      },
      RUN_MS,
    );

    it(
      'shows who needs the API server when it is cut off, and that it recovers',
      async () => {
        await user.press('rotate-tokens');
        await user.press('outage');
        await user.card('API server').locator('.badge', { hasText: 'unreachable' }).waitFor();
        expect(await user.send('send-valid')).toBe(asksApiServer ? '503' : '200');
        expect(await user.card('service1').innerText()).toContain('cannot be replaced now');
        await user.press('outage');
        await user
          .card('API server')
          .locator('.badge', { hasText: /^reachable/ })
          .waitFor();
      },
      RUN_MS,
    );
  });

  it(
    'rotates the signing key, and refuses the tokens of the old key after it was dropped',
    async () => {
      await user.useVerifier('jwt-pubkey');
      await user.press('rotate-key');
      await user.note(/signing key \S+ published/).waitFor();
      await user.press('drop-old-keys');
      expect(await watched.page.locator('#message').innerText()).toContain('wait for it');
      await user.note(/signing key rotated/).waitFor();
      // More than one, if the stand-in has published its next key by itself in the meantime.
      await watched.page.locator('#flow .keys .next').first().waitFor({ state: 'detached' });
      await user.send('send-old-key');
      expect(await user.verdict()).toContain('accepted 200');
      await user.press('drop-old-keys');
      await user.note(/old keys dropped/).waitFor();
      await user.send('send-old-key');
      expect(await user.verdict()).toContain('refused 401 ERR_K8S_AUTH_TOKEN_SIGNATURE');
      expect(await watched.page.locator('#flow .keys .old').count()).toBe(0);
    },
    RUN_MS,
  );

  it(
    'restarts the services',
    async () => {
      await user.press('restart');
      await suite.demo.process.waitFor(/\[dev\] restarted/);
      await user.card('service2').locator('.badge', { hasText: 'ready' }).waitFor();
      expect(await user.send('send-valid')).toBe('200');
    },
    RUN_MS,
  );

  it(
    'contains no token and no signature',
    async () => {
      for (const id of ['send-valid', 'send-forged', 'send-misdirected']) await user.send(id);
      const [, file = ''] = /\(cat (\S+default\/for-service2\/token)\)/.exec(suite.demo.process.text) ?? [];
      const parts = readFileSync(file, 'utf8').split('.');
      const html = await watched.page.content();
      expect(html).toContain('system:serviceaccount:mytest:default');
      for (const text of [html, suite.demo.process.text]) {
        expect(text).not.toMatch(/eyJ/);
        for (const part of parts) expect(text).not.toContain(part);
      }
    },
    RUN_MS,
  );
});
