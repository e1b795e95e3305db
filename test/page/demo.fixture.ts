import { type Locator, type Page } from 'playwright-core';
import { until } from '../../libs/k8s-auth/test-support/until.js';
import { freePort } from '../../libs/k8s-auth/test-support/free-port.js';
import { Started } from '../start/started.js';

/** `npm start` with its live page. */
export class Demo {
  private constructor(
    readonly process: Started,
    readonly url: string,
  ) {}

  static async start(verifier: string): Promise<Demo> {
    const ports = ['--service1-port', String(await freePort()), '--service2-port', String(await freePort())];
    const process = new Started('--verifier', verifier, ...ports);
    const [line = ''] = await process.waitFor(/\[try\] in a browser: http/);
    return new Demo(process, /http:\S+/.exec(line)?.[0] ?? '');
  }

  stop(): Promise<number | null> {
    return this.process.interrupt();
  }
}

/** What a user does on the page, and what the user sees there. */
export class PageUser {
  constructor(readonly page: Page) {}

  /** Presses a button, and waits until it has done its work. */
  async press(id: string): Promise<void> {
    const button = this.page.locator(`#${id}`);
    await button.click();
    await this.page.locator(`#${id}:not([aria-busy])`).waitFor({ state: 'attached' });
  }

  /** Sends a call. @returns the status that is shown, as soon as the checks are shown too */
  async send(id: string): Promise<string> {
    const before = await this.newestCall();
    await this.press(id);
    const row = this.page.locator('li[data-id]:has([aria-current])');
    // Not `waitForFunction`: it evaluates text inside the page, which the Content-Security-Policy of the page forbids.
    await until(() =>
      this.page.evaluate<boolean>(
        `Number(document.querySelector('li[data-id]:has([aria-current])')?.dataset.id) > ${before}`,
      ),
    );
    // On a narrow screen, other views are hidden.
    await row.locator('.badge:not(.neutral)').waitFor({ state: 'attached' });
    if (id !== 'send-without') await this.page.locator('#checks-body .checks').waitFor({ state: 'attached' });
    return (await row.locator('.badge').textContent()) ?? '';
  }

  /** `refused 401 ERR_…`: the result of the checks. */
  async verdict(): Promise<string> {
    return (await this.page.locator('#checks-body .summary').innerText()).replaceAll('\n', ' ');
  }

  /** The result of one check: `passed`, `failed`, `not known` or `not made`. */
  async check(name: string): Promise<string> {
    const row = this.page.locator('#checks-body .checks > li', {
      has: this.page.locator(`.name:text("${name}")`),
    });
    return row.locator('.visually-hidden').innerText();
  }

  /** A line of the list of calls about something that has happened. */
  note(text: string | RegExp): Locator {
    return this.page.locator('#call-list .note', { hasText: text }).first();
  }

  /** The card of a service. */
  card(name: string): Locator {
    return this.page.locator('#flow article', { hasText: name });
  }

  async useVerifier(kind: string): Promise<void> {
    await this.press(`verifier-${kind}`);
    await this.page.locator(`#verifier-${kind}[aria-pressed="true"]`).waitFor();
    await this.card('service2').locator('.badge', { hasText: 'ready' }).waitFor();
  }

  private async newestCall(): Promise<number> {
    const ids = '[...document.querySelectorAll("#call-list li")].map((item) => Number(item.dataset.id))';
    return this.page.evaluate<number>(`Math.max(0, ...${ids})`);
  }
}
