import { expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Page } from 'playwright-core';
import { until } from '../../libs/k8s-auth/test-support/until.js';
import { ROOT } from '../support/running-process.js';
import { accessibilityFindings, IN_CHROMIUM, openPage } from './browser.fixture.js';
import { PageUser } from './demo.fixture.js';
import { describeWithChromium, startSuite } from './suite.fixture.js';

const RUN_MS = 120_000;
/** The images of README.md and docs/live-page.md are written only on request, because no two runs are equal. */
const isPhotographed = process.env.LIVE_PAGE_IMAGES === 'write';
const USED_IMAGES = ['forged-light', 'outage-dark', 'narrow-light'];
const IMAGES = join(ROOT, 'docs/images');

/** Another message may follow at any time. */
const RECORD_MESSAGES = `
  globalThis.said = [];
  const region = document.querySelector('[role=status]');
  new MutationObserver(() => said.push(region.textContent)).observe(region, { childList: true });
`;

const NARROW = { width: 360, height: 740 };
const DESKTOP = { width: 1440, height: 1000 };
const VIEWS = ['calls', 'answer', 'checks', 'claims', 'change'];

describeWithChromium(`the live page for everybody ${IN_CHROMIUM}`, () => {
  const suite = startSuite();

  const open = async (viewport: typeof NARROW, colorScheme: 'light' | 'dark') =>
    (await openPage(suite.browser, suite.demo.url, { viewport, colorScheme })).page;

  async function photograph(page: Page, name: string): Promise<void> {
    if (!isPhotographed || !USED_IMAGES.includes(name)) return;
    mkdirSync(IMAGES, { recursive: true });
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(IMAGES, `live-page-${name}.png`), animations: 'disabled' });
  }

  const overflow = (page: Page) =>
    page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  it.each(['light', 'dark'] as const)(
    'has no accessibility problem on a desktop, %s',
    async (scheme) => {
      const page = await open(DESKTOP, scheme);
      const user = new PageUser(page);
      await user.send('send-valid');
      expect(await accessibilityFindings(page)).toEqual([]);
      await user.send('send-forged');
      await page.locator('#answer-body pre', { hasText: 'ERR_' }).waitFor();
      expect(await accessibilityFindings(page)).toEqual([]);
      await photograph(page, `forged-${scheme}`);
      await user.useVerifier('tokenreview');
      await user.press('rotate-tokens');
      await user.press('outage');
      await user.send('send-valid');
      expect(await accessibilityFindings(page)).toEqual([]);
      await photograph(page, `outage-${scheme}`);
      await user.press('outage');
      await user.useVerifier('oidc-discovery');
      expect(await overflow(page)).toBe(0);
      await page.close();
    },
    RUN_MS,
  );

  it.each(['light', 'dark'] as const)(
    'fits into 360 px without scrolling sideways, one view at a time, %s',
    async (scheme) => {
      const page = await open(NARROW, scheme);
      const user = new PageUser(page);
      for (const view of VIEWS) {
        await page.locator(`nav a[href="#${view}"]`).click();
        await page.locator(`#${view}`).waitFor();
        expect(await page.locator('.view:visible').count()).toBe(1);
        expect(`${view} ${await overflow(page)}`).toBe(`${view} 0`);
        expect(await accessibilityFindings(page)).toEqual([]);
      }
      await user.send('send-expired');
      await page.locator('nav a[href="#answer"]').click();
      await page.locator('#answer-body pre', { hasText: 'ERR_' }).waitFor();
      await page.evaluate("document.getElementById('answer').scrollIntoView()");
      expect(await overflow(page)).toBe(0);
      await photograph(page, `narrow-${scheme}`);
      await page.close();
    },
    RUN_MS,
  );

  it(
    'is usable with the keyboard alone, and keeps the focus',
    async () => {
      const page = await open(DESKTOP, 'light');
      await page.evaluate(RECORD_MESSAGES);
      const focused = () =>
        page.evaluate<string>('document.activeElement.id || document.activeElement.className');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('skip');
      await page.keyboard.press('Enter');
      expect(await focused()).toBe('calls');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('follow');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(await page.locator('#follow').getAttribute('aria-pressed')).toBe('false');
      await page.locator('#send-forged').focus();
      await page.keyboard.press('Enter');
      const saysRefused = "said.includes('this page, forged token: 401 rejected')";
      await until(() => page.evaluate<boolean>(saysRefused));
      expect(await page.locator('#answer-body .summary .badge').innerText()).toBe('401');
      expect(await focused()).toBe('send-forged');
      await page.close();
    },
    RUN_MS,
  );

  it(
    'has the landmarks of a page, and one polite live region that names the last change',
    async () => {
      const page = await open(DESKTOP, 'light');
      const user = new PageUser(page);
      for (const role of ['banner', 'main', 'navigation'] as const) {
        expect(await page.getByRole(role, { includeHidden: true }).count()).toBe(1);
      }
      await user.press('rotate-tokens');
      await page.locator('[aria-live=polite]', { hasText: 'every token rotated' }).waitFor();
      expect(await page.locator('[aria-live]').count()).toBe(1);
      await page.close();
    },
    RUN_MS,
  );
});
