import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { systemClock } from '../../libs/k8s-auth/src/util/clock.js';
import { CapturedLog } from '../integration/support/captured-log.js';
import { type RunningApp, startService2 } from '../integration/support/services.js';
import { type AuditEvent, AuditedCluster } from './support/audited-cluster.fixture.js';
import { providerCan } from './support/cluster.fixture.js';

const NAME = 'system:serviceaccount:mytest:default';
const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';
const ISSUED_CREDENTIAL_ID = 'authentication.kubernetes.io/issued-credential-id';

/** Prints the line and the two events of the same token, for the description of a change. */
function showSideBySide(line: string, events: object): void {
  process.stdout.write(`service2:   ${line}\nAPI server: ${JSON.stringify(events)}\n`);
}

const canAudit = await providerCan('up', '--audit-log');
const describeIfPossible = canAudit ? describe : describe.skip;
const unless = canAudit ? '' : ' (skipped: this provider has no `up --audit-log`)';

// Only the API server writes an audit log, so service2 runs in this process and not in a pod.
describeIfPossible(
  `I compare the audit lines of service2 with the audit log of the API server${unless}`,
  () => {
    let audited: AuditedCluster;
    let environment: Record<string, string>;

    beforeAll(async () => {
      audited = await AuditedCluster.up();
      environment = await audited.environment();
    });
    afterAll(() => audited?.down());

    /** Waits for the event, because the API server writes it after its answer. */
    async function eventWith(isWanted: (event: AuditEvent) => boolean): Promise<AuditEvent | undefined> {
      for (let attempt = 0; attempt < 100; attempt++) {
        const event = audited.events().find(isWanted);
        if (event) return event;
        await setTimeout(100);
      }
      return undefined;
    }

    describe.each(['tokenreview', 'oidc-discovery'])('with %s', (verifier) => {
      let log: CapturedLog;
      let service2: RunningApp;
      let token: string;
      let credentialId: string;

      beforeAll(async () => {
        log = new CapturedLog();
        const given = { ...environment, K8S_AUTH_VERIFIER: verifier, K8S_AUTH_AUDIT_LOG: 'true' };
        service2 = await startService2({ adapter: 'express', clock: systemClock, log, environment: given });
        token = await audited.tokenForBoth();
        credentialId = `JTI=${String(decodeJwt(token).jti)}`;
      });
      afterAll(() => service2?.app.close());

      const get = (path: string, authorization: string) =>
        fetch(service2.url + path, { headers: { authorization } });
      const auditLines = () => log.matching(/request audited/);

      it('a line of an accepted request has the credential ID that the API server logs for this token', async () => {
        expect((await get('/', `Bearer ${token}`)).status).toBe(200);
        expect(await audited.callApiServer(token)).toBe(200);
        const line = auditLines().find((one) => one.includes(credentialId));
        const used = await eventWith(
          ({ requestURI, user }) =>
            requestURI === '/api' && (user.extra?.[CREDENTIAL_ID] ?? []).includes(credentialId),
        );
        const issued = await eventWith(
          ({ annotations }) => annotations?.[ISSUED_CREDENTIAL_ID] === credentialId,
        );
        showSideBySide(line ?? 'no line', { user: used?.user, annotations: issued?.annotations });
        expect(line).toContain(NAME);
        expect(line).toContain("outcome: 'accepted'");
        expect(used?.user.username).toBe(NAME);
        expect(issued).toMatchObject({ verb: 'create' });
      });

      it('a line of a request that is forbidden has the same credential ID', async () => {
        expect((await get('/admin', `Bearer ${token}`)).status).toBe(403);
        const line = auditLines().find((one) => one.includes("outcome: 'forbidden'"));
        expect(line).toContain(credentialId);
      });

      it('a line of a rejected token has the credential ID that the API server logged when it issued the token', async () => {
        const foreign = (
          await audited.cluster.kubectl(
            'create',
            'token',
            'default',
            '--namespace=mytest',
            '--audience=other',
          )
        ).trim();
        const foreignId = `JTI=${String(decodeJwt(foreign).jti)}`;
        expect((await get('/', `Bearer ${foreign}`)).status).toBe(401);
        const line = auditLines().find((one) => one.includes(foreignId));
        expect(line).toContain("outcome: 'rejected'");
        expect(line).toContain('verified: false');
        expect(
          await eventWith(({ annotations }) => annotations?.[ISSUED_CREDENTIAL_ID] === foreignId),
        ).toBeDefined();
      });

      it('neither log contains a token', () => {
        for (const text of [log.text, audited.auditText()])
          for (const part of token.split('.').slice(1)) expect(text).not.toContain(part);
      });
    });
  },
);
