import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpService } from '@nestjs/axios';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

describe.each(EVERYWHERE.filter(({ verifier }) => verifier === 'jwt-pubkey'))(
  'a redirect on $adapter',
  ({ verifier, adapter }) => {
    let scenario: Scenario;
    let attacker: Server;
    let seen: IncomingHttpHeaders[];

    beforeEach(async () => {
      scenario = await Scenario.start({ verifier, adapter });
      seen = [];
      attacker = createServer((request, response) => {
        seen.push(request.headers);
        response
          .writeHead(request.url === '/back' ? 302 : 200, { location: scenario.service2.url })
          .end('caught');
      });
      await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve));
    });
    afterEach(async () => {
      await new Promise((resolve) => attacker.close(resolve));
      await scenario.close();
    });

    it.each([301, 302, 303, 307, 308])(
      'with %i to another origin goes there without the token',
      async (status) => {
        const to = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}/`;
        await redirectFirstRequest(status, to);
        expect(seen).toHaveLength(1);
        expect(seen[0]?.authorization).toBeUndefined();
      },
    );

    it('that returns to a listed origin does not add the token again', async () => {
      await redirectFirstRequest(302, `http://127.0.0.1:${(attacker.address() as AddressInfo).port}/back`);
      expect(seen).toHaveLength(1);
      expect(scenario.log.text).toContain('ERR_K8S_AUTH_TOKEN_MISSING');
    });

    /** service2's own server answers one request with a redirect, before the application sees it. */
    async function redirectFirstRequest(status: number, location: string): Promise<void> {
      const server = scenario.service2.app.getHttpServer() as Server;
      const [application] = server.listeners('request') as ((...args: unknown[]) => void)[];
      server.removeAllListeners('request');
      server.once('request', (request, response) => {
        expect(request.headers.authorization).toMatch(/^Bearer /);
        server.on('request', application as () => void);
        response.writeHead(status, { location }).end();
      });
      const http = scenario.service1.app.get(HttpService, { strict: false });
      await http.axiosRef.get(scenario.service2.url, { validateStatus: () => true });
    }
  },
);
