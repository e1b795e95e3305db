import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { readFileSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of the system: the variable CHROMIUM, or the first one in PATH. */
export const CHROMIUM = process.env.CHROMIUM ?? findInPath();

/** For the name of a suite that needs the browser. */
export const IN_CHROMIUM =
  CHROMIUM === undefined ? 'in Chromium (skipped: it is not installed)' : 'in Chromium';

function findInPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function startBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('Chromium is not installed');
  return chromium.launch({ executablePath: CHROMIUM });
}

/** A page that also notes what a user must never see: errors of scripts and violations of the policy. */
export interface WatchedPage {
  readonly page: Page;
  readonly problems: readonly string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const problems: string[] = [];
  const page = await browser.newPage(options);
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    // The refusal of an action that is impossible now. Browsers report every 409 as an error.
    const isRefusal = /status of 409/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !isRefusal) problems.push(message.text());
  });
  await page.goto(url);
  await page.locator('.call').first().waitFor();
  return { page, problems };
}

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the rules of WCAG 2.2 AA and good practice find. Runs in the debugger, which the policy does not restrict. */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const findings = await page.evaluate<readonly Finding[]>('axe.run().then(({ violations }) => violations)');
  return findings.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}
