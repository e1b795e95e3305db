import { beforeEach, describe, expect, it } from '@jest/globals';
import { createTestPrincipal, FakeClock, LocalCluster } from '../../testing/index.js';
import { CapturedLog } from '../api-server/own-cluster.fixture.js';
import { VerifierUnavailableError } from '../errors.js';
import { ApiServerAudiences } from './api-server-audiences.js';
import { type Verdict, type Verify } from './verifier.js';

const USUAL = ['https://kubernetes.default.svc', 'https://kubernetes.default.svc.cluster.local'];
const podTokenFile = '/nowhere/token';

let clock: FakeClock;
let log: CapturedLog;
beforeEach(() => {
  clock = new FakeClock();
  log = new CapturedLog();
});

describe('the audiences that the API server accepts', () => {
  const audiencesWith = (known?: readonly string[], issuers: readonly string[] = [], file = podTokenFile) =>
    new ApiServerAudiences(
      { apiServerAudiences: () => Promise.resolve(known) },
      { clock, log, issuers, podTokenFile: file },
    );

  it('are the default audiences without a verifier and outside a pod', async () => {
    const audiences = new ApiServerAudiences(undefined, { clock, log, issuers: [], podTokenFile });
    expect([...(await audiences.find())]).toEqual(USUAL);
  });

  it('include the audiences that the verifier knows and the issuers in the options', async () => {
    const found = await audiencesWith(['https://issuer.example'], ['https://a.example', 'b']).find();
    expect([...found]).toEqual([...USUAL, 'https://a.example', 'b', 'https://issuer.example']);
    expect([...(await audiencesWith(undefined, ['b']).find())]).toEqual([...USUAL, 'b']);
  });

  it("include the issuer and the audiences of the pod's own API token", async () => {
    const apiAudiences = ['api', 'konnectivity'];
    const cluster = await LocalCluster.start({ issuer: 'https://issuer.example', apiAudiences });
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'default' });
    const found = await audiencesWith(undefined, [], `${mount}/token`).find();
    expect([...found].sort()).toEqual([...USUAL, 'https://issuer.example', 'api', 'konnectivity'].sort());
    await cluster.close();
  });

  it('are rejected as the audience of a route or of the option', async () => {
    const given = new Map([
      ['orders', ['OrdersController.list']],
      ['b', ['A.one', 'A.two']],
      [USUAL[0] ?? '', []],
    ]);
    expect(await audiencesWith(undefined, ['b']).findMistakes(given)).toEqual([
      expect.stringMatching(/^audience of A\.one, A\.two: .*'b'/),
      expect.stringMatching(/^option 'audience': .*'https:\/\/kubernetes\.default\.svc'.*K8S_AUTH_AUDIENCE/),
    ]);
  });
});

describe('a request to a route', () => {
  const verdict: Verdict = { principal: createTestPrincipal(), validUntilMs: Infinity };
  let known: readonly string[] | undefined;
  let asked: number;
  let audiences: ApiServerAudiences;
  let verify: Verify;

  beforeEach(() => {
    known = undefined;
    asked = 0;
    audiences = new ApiServerAudiences(
      { apiServerAudiences: () => Promise.resolve((asked++, known)) },
      { clock, log, issuers: [], podTokenFile },
    );
    verify = audiences.refuse(() => verdict);
  });

  it("is answered synchronously when the API server's audiences are known and differ from the route's", async () => {
    known = ['https://issuer.example'];
    await audiences.find();
    expect(verify('token', ['orders'])).toBe(verdict);
    expect(asked).toBe(1);
  });

  it('is refused as unavailable when startup has found that the API server accepts the audience', async () => {
    known = ['orders'];
    await audiences.find();
    expect(() => verify('token', ['orders'])).toThrow(VerifierUnavailableError);
  });

  it('is refused once the first verdict shows that the API server accepts the audience, with one log line', async () => {
    known = ['orders'];
    await expect(verify('token', ['orders'])).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
    });
    expect(() => verify('token', ['orders'])).toThrow(VerifierUnavailableError);
    expect(log.events).toEqual([expect.objectContaining({ audiences: ['orders'] })]);
  });

  it("passes while the API server's audiences are unknown, which are requested again every 10 s", async () => {
    for (let call = 0; call < 3; call++) expect(await verify('token', ['orders'])).toBe(verdict);
    expect(asked).toBe(1);
    await clock.advance(10_000);
    known = ['orders'];
    await expect(verify('token', ['orders'])).rejects.toThrow(VerifierUnavailableError);
  });
});
