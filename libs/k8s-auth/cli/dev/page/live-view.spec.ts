import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { EchoSession } from '../dev-session.fixture.js';
import { type PageState } from './page-state.js';
import { type CallEntry, type TimelineEntry } from './timeline.js';

const RUN_MS = 60_000;

/** Reads the events of a page, as a browser does. */
class PageReader {
  text = '';
  private readonly over = new AbortController();
  private waiting: (() => void)[] = [];

  constructor(private readonly url: string) {
    void this.read().catch(() => undefined);
  }

  /** The present state: that of the last event. */
  get state(): PageState {
    const states = this.events().flatMap(({ event, data }) =>
      event === 'state'
        ? [data as PageState]
        : event === 'snapshot'
          ? [(data as { state: PageState }).state]
          : [],
    );
    return states.at(-1) as PageState;
  }

  async call(matches: (call: CallEntry) => unknown): Promise<CallEntry> {
    return this.until(() =>
      this.events()
        .map(({ data }) => data as TimelineEntry)
        .find((entry): entry is CallEntry => entry.type === 'call' && Boolean(matches(entry))),
    );
  }

  async until<Found>(find: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = this.text === '' ? undefined : find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  async press(id: string): Promise<Response> {
    const response = await fetch(`${this.url}actions/${id}`, {
      method: 'POST',
      headers: { origin: new URL(this.url).origin },
    });
    this.text += await response.clone().text();
    return response;
  }

  close(): void {
    this.over.abort();
  }

  private events(): { event: string; data: unknown }[] {
    return [...this.text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event = '', data = '']) => ({
      event,
      data: JSON.parse(data) as unknown,
    }));
  }

  private async read(): Promise<void> {
    const headers = { 'sec-fetch-site': 'same-origin' };
    const response = await fetch(`${this.url}events`, { headers, signal: this.over.signal });
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      this.text += decoder.decode(chunk, { stream: true });
      for (const resolve of this.waiting.splice(0)) resolve();
    }
  }
}

describe('the live page of a service that repeats each token', () => {
  let session: EchoSession;
  let page: PageReader;

  beforeAll(async () => {
    session = await EchoSession.start();
    page = new PageReader(session.url);
    await page.until(() => page.state as PageState | undefined);
  }, RUN_MS);
  afterAll(async () => {
    page.close();
    await session.stop();
  }, RUN_MS);

  it('shows the service, its caller, the API server and its key', () => {
    expect(page.state).toMatchObject({
      services: [{ name: 'orders', verifier: 'tokenreview', audience: 'orders', isTarget: true }],
      apiServer: { isReachable: true },
      caller: { account: 'shop/checkout', exists: true, hasPod: true, isForAnotherService: false },
    });
    expect(page.state.keys).toEqual([{ kid: expect.stringMatching(/^[\w-]{43}$/), use: 'signs' }]);
    const { iat, exp } = page.state.caller?.token?.claims as { iat: number; exp: number };
    expect(page.state.caller?.rotatesAtMs).toBe((iat + (exp - iat) * 0.8) * 1000);
  });

  it(
    'puts the answer, the line of the service, its token and the checks of a call together',
    async () => {
      await page.press('send-forged');
      const call = await page.call(({ what, explanation, serviceLines }) => {
        return what === 'forged token' && explanation && serviceLines.length > 0;
      });
      expect(call).toMatchObject({
        from: 'this page',
        request: 'GET /',
        answer: { status: 401 },
        serviceLines: [expect.stringContaining('ERR_K8S_AUTH_TOKEN_REJECTED')],
        token: { claims: { sub: 'system:serviceaccount:shop:checkout', aud: ['orders'] } },
        explanation: { verifier: 'tokenreview', outcome: { kind: 'refused', status: 401 } },
        advice: expect.stringContaining('API server rejects'),
      });
    },
    RUN_MS,
  );

  it(
    'shows a refusal that another program has caused',
    async () => {
      const { url } = page.state.services[0] as { url: string };
      await (await fetch(url, { headers: { authorization: 'Bearer opaque', connection: 'close' } })).text();
      const call = await page.call(({ from }) => from === 'another program');
      expect(call).toMatchObject({ request: 'GET /', answer: { status: 401 } });
      expect(call).not.toHaveProperty('explanation');
    },
    RUN_MS,
  );

  it(
    'does what each button says, and says what the button does then',
    async () => {
      const labelOf = (id: string) =>
        page.state.groups.flatMap(({ actions }) => actions).find((action) => action.id === id)?.label;
      const pressAndSee = async (id: string, label: string) => {
        expect((await page.press(id)).status).toBe(200);
        await page.until(() => (labelOf(id) === label ? true : undefined));
      };
      await pressAndSee('account', 'Create the ServiceAccount again');
      expect(page.state.caller).toMatchObject({ exists: false });
      expect(page.state.caller).not.toHaveProperty('rotatesAtMs');
      expect(await (await page.press('audience')).json()).toEqual({
        message: 'the ServiceAccount is deleted: create it again first',
      });
      await pressAndSee('account', 'Delete the ServiceAccount');
      await pressAndSee('pod', 'Start another pod');
      expect(page.state.caller).toMatchObject({ hasPod: false });
      await pressAndSee('pod', 'Delete the pod');
      await pressAndSee('audience', 'Restore the audience');
      expect(page.state.caller?.token?.claims.aud).toEqual(['another-service']);
      await pressAndSee('audience', 'Change the audience');
      expect(page.state.caller?.token?.claims.aud).toEqual(['orders']);
      await pressAndSee('outage', 'Restore the API server');
      expect((await page.press('pod')).status).toBe(409);
      await pressAndSee('outage', 'Cut off the API server');
      expect((await page.press('send-old-key')).status).toBe(409);
      await page.press('rotate-key');
      await page.until(() => (page.state.keys[1]?.use === 'next' ? true : undefined));
      expect((await page.press('drop-old-keys')).status).toBe(409);
      await page.press('verifier-jwt-pubkey');
      await page.until(() => (page.state.services[0]?.verifier === 'jwt-pubkey' ? true : undefined));
    },
    RUN_MS,
  );

  it('has no button that ends the program', async () => {
    expect((await page.press('quit')).status).toBe(404);
    expect((await page.press('next-verifier')).status).toBe(404);
  });

  it(
    'never contains a part of a token, whichever button was pressed and whatever the service repeats',
    async () => {
      const ids = page.state.groups.flatMap(({ actions }) => actions.map(({ id }) => id));
      await page.until(() => (page.state.services[0]?.state === 'ready' ? true : undefined));
      const calls = ids.filter((id) => id.startsWith('send-'));
      expect(calls.length).toBeGreaterThanOrEqual(8);
      for (const id of calls) await page.press(id);
      await page.call(({ what, serviceLines }) => what === 'foreign token' && serviceLines.length > 0);
      const [, file = ''] = /cat (\S+checkout\/for-orders\/token)\)/.exec(session.lines.join('\n')) ?? [];
      const parts = readFileSync(file, 'utf8').split('.');
      expect(parts).toHaveLength(3);
      // Not compared as a whole, which would print the tokens if this test fails.
      const shown = (text: string) => page.text.includes(text);
      expect(['[token]', 'eyJ', ...parts].map(shown)).toEqual([true, false, false, false, false]);
      expect(/[\w-]{80,}/.exec(page.text)?.[0].length).toBeUndefined();
      // What the service itself has printed is its own affair. What this program prints about calls is not.
      const own = session.lines.filter((line) => line.startsWith('[call]'));
      expect(own.length).toBeGreaterThan(0);
      expect(own.join()).not.toMatch(/eyJ/);
    },
    RUN_MS,
  );

  it(
    'does the same for the keys of the terminal',
    async () => {
      session.press('w');
      await session.waitFor(/\[call\] no token: 401/);
      session.press('x');
      await session.waitFor(/wait for it|old keys dropped|there is no old key/);
      session.press('t');
      await session.waitFor(/every token rotated/);
      expect(await page.until(() => /every token rotated/.exec(page.text)?.[0])).toBe('every token rotated');
    },
    RUN_MS,
  );
});
