import { afterAll, beforeAll, describe } from '@jest/globals';
import { type Browser } from 'playwright-core';
import { buildOnce } from '../dev/dev-process.fixture.js';
import { CHROMIUM, startBrowser } from './browser.fixture.js';
import { Demo } from './demo.fixture.js';

const BUILD_MS = 240_000;
const END_MS = 180_000;

/** Skips the tests where there is no browser. */
export function describeWithChromium(name: string, tests: () => void): void {
  (CHROMIUM === undefined ? describe.skip : describe)(name, tests);
}

/** What a suite works with. Set before its first test. */
export interface Suite {
  demo: Demo;
  browser: Browser;
}

/** Starts `npm start` and a browser for all tests of a suite, and ends both. */
export function startSuite(): Suite {
  const suite: Partial<Suite> = {};
  beforeAll(async () => {
    buildOnce();
    suite.browser = await startBrowser();
    suite.demo = await Demo.start('oidc-discovery');
  }, BUILD_MS);
  afterAll(async () => {
    await suite.browser?.close();
    await suite.demo?.stop();
  }, END_MS);
  return suite as Suite;
}
