import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { verifierKinds } from '../../libs/k8s-auth/src/verifiers/index.js';
import { freePort } from '../../libs/k8s-auth/test-support/free-port.js';
import { ROOT } from '../support/running-process.js';
import { Started } from './started.js';

const BUILD_MS = 120_000;
const RUN_MS = 60_000;

describe('npm start', () => {
  let started: Started | undefined;
  let ports: { service1: number; service2: number };

  beforeAll(() => {
    // Builds first, as the first `npm start` does, so that the build does not use up the time of a test.
    const build = "import('./scripts/demo/build.mjs').then(({ buildIfStale }) => buildIfStale())";
    execFileSync(process.execPath, ['--eval', build], { cwd: ROOT });
  }, BUILD_MS);
  afterEach(async () => {
    await started?.interrupt();
  }, RUN_MS);

  async function start(...options: string[]): Promise<Started> {
    ports = { service1: await freePort(), service2: await freePort() };
    started = new Started(
      ...['--service1-port', String(ports.service1), '--service2-port', String(ports.service2)],
      ...options,
    );
    return started;
  }

  const greeting = () =>
    new RegExp(
      `target=http://127.0.0.1:${ports.service2}, status=200, response: 'hello system:serviceaccount:mytest:default'`,
    );

  it.each(verifierKinds)(
    'shows that service2 greets service1 with %s, and the printed example commands work',
    async (verifier) => {
      const demo = await start('--verifier', verifier);
      await demo.waitFor(greeting());
      await demo.waitFor(/\[try\] here:/);
      const commands = demo.lines.flatMap((line) => {
        const [, status, command] = /^\[try\] +(\d{3}) +(curl .*?) {3}#/.exec(line) ?? [];
        return status && command ? [{ status, command }] : [];
      });
      expect(commands.map(({ status }) => status)).toEqual([
        ...['200', '200', '401', '401', '401'],
        ...['200', '403', '200'],
      ]);
      for (const { status, command } of commands) {
        expect(`${command} ${await statusOf(command)}`).toBe(`${command} ${status}`);
      }
      expect(demo.text).not.toMatch(/eyJ/);
    },
    RUN_MS,
  );

  it(
    'keeps working across a token rotation, and leaves no process or file behind after Ctrl-C',
    async () => {
      const demo = await start();
      await demo.waitFor(greeting());
      await demo.waitFor(/\[try\] here:/);
      const [, kubeconfig = ''] = /--kubeconfig (\S+)/.exec(demo.text) ?? [];
      expect(existsSync(kubeconfig)).toBe(true);
      demo.type('t');
      await demo.waitFor(/\[cluster\] every token rotated/);
      await demo.waitFor(greeting(), 2);
      expect(await demo.interrupt()).toBe(0);
      expect(existsSync(kubeconfig)).toBe(false);
      for (const port of Object.values(ports)) {
        await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
      }
      expect(demo.lines.filter((line) => /exited unexpectedly/.test(line))).toEqual([]);
    },
    RUN_MS,
  );

  it('names the port that is in use, and the option for another port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as AddressInfo;
    started = new Started('--service1-port', String(await freePort()), '--service2-port', String(port));
    expect(await started.ended).toBe(1);
    expect(started.text).toContain(`port ${port} for service2 is in use`);
    expect(started.text).toContain('npm start -- --service2-port');
    await new Promise((resolve) => server.close(resolve));
  });

  it('refuses a verifier that does not exist', async () => {
    started = new Started('--verifier', 'saml');
    expect(await started.ended).toBe(2);
    const [, named = ''] = /npm start \[-- --verifier ([^\]]+)\]/.exec(started.text) ?? [];
    expect(named.split('|').sort()).toEqual([...verifierKinds].sort());
  });
});

/** The status that the printed command gets, without curl: the token is in the file, the URL is at the end. */
async function statusOf(command: string): Promise<string> {
  const [, file] = /\$\(cat (\S+)\)/.exec(command) ?? [];
  const [url = ''] = /http:\S+/.exec(command) ?? [];
  const headers = file ? { authorization: `Bearer ${readFileSync(file, 'utf8')}` } : undefined;
  return String((await fetch(url, { headers })).status);
}
