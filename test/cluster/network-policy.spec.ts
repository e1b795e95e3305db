import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { Prober } from './support/prober.fixture.js';

const areEnforced = await providerCan('enforce-network-policies');
const describeIfPossible = areEnforced ? describe : describe.skip;
const why = areEnforced ? '' : ' (skipped: network policies have no effect with this provider)';

const TIMED_OUT = { status: 0, body: expect.stringMatching(/timeout/i) };

// Arguments: name or address, and port. A refused connection also passed the policy; a blocked one times out.
const CONNECT = `
const [host, port] = process.argv.slice(1);
require('node:dns').lookup(host, (failure, address) => {
  if (failure) return console.log(failure.code);
  const socket = require('node:net').connect({ host: address, port: Number(port), timeout: 5000 });
  const end = (outcome) => { console.log(outcome); socket.destroy(); };
  socket.on('connect', () => end('connected')).on('timeout', () => end('timeout')).on('error', ({ code }) => end(code));
});
`;

describeIfPossible(`I deploy both applications with k8s/overlays/production${why}`, () => {
  const cluster = Cluster.given();
  let deployment: Deployment;

  async function connect(from: string, host: string, port: number): Promise<string> {
    const program = ['node', '-e', CONNECT, host, String(port)];
    return (await deployment.kubectl('exec', `deployment/${from}`, '--', ...program)).trim();
  }

  /** A pod that belongs to neither application. */
  const answerToStranger = (namespace: string) =>
    Prober.firstAnswer(cluster, { name: 'stranger', namespace, intervalMs: 1000 });

  beforeAll(async () => {
    deployment = await Deployment.of(cluster, 'production');
  });
  afterAll(() => deployment?.remove());

  it('service1 reaches service2', async () => {
    expect(await deployment.firstSuccess()).toContain('status=200');
  });

  it('service2 reaches DNS and the API server, from which it reads keys', async () => {
    expect(await connect('service2', 'kubernetes.default.svc', 443)).toBe('connected');
  });

  it('service1 reaches DNS, and not the API server, which it does not call', async () => {
    expect(await connect('service1', 'kubernetes.default.svc', 443)).toBe('timeout');
  });

  it('service2 does not reach service1', async () => {
    const address = await deployment.kubectl(
      ...['get', 'pod', '--selector', 'app.kubernetes.io/name=service1'],
      ...['--output', 'jsonpath={.items[0].status.podIP}'],
    );
    expect(await connect('service2', address, 8081)).toBe('timeout');
  });

  it.each([
    ['another', 'default'],
    ['the same', 'mytest'],
  ])('a pod of %s namespace does not reach service2', async (_, namespace) => {
    expect(await answerToStranger(namespace)).toMatchObject(TIMED_OUT);
  });

  it('an unrelated pod reaches service2 without the policies', async () => {
    await deployment.kubectl('delete', 'networkpolicy', '--all');
    expect(await connect('service1', 'kubernetes.default.svc', 443)).toBe('connected');
    expect(await answerToStranger('default')).toMatchObject({ status: 401 });
    expect(await answerToStranger('mytest')).toMatchObject({ status: 401 });
  });
});
