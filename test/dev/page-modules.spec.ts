import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { codeBlocks } from '../docs/code-blocks.js';
import { freePort } from '../../libs/k8s-auth/test-support/free-port.js';
import { ROOT } from '../support/running-process.js';
import { buildOnce, DevProcess, send } from './dev-process.fixture.js';

const BUILD_MS = 120_000;
const RUN_MS = 120_000;
const IDENTITIES = ['--as', 'shop/orders', '--caller', 'shop/checkout'];
const ORDERS = [process.execPath, 'test/dev/orders.process.mjs', 'forRootAsync'];
const SERVICE2 = [process.execPath, 'dist/apps/service2/main.js'];

/** Like a module of a page, with what only a pod has: the name of the API server, and the mount of the ServiceAccount. */
const IN_CLUSTER = `
import { Controller, Get, Module } from '@nestjs/common';
import { K8sAuth, K8sAuthModule } from 'nest-k8s-auth';
const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
@Controller('orders')
@K8sAuth('orders')
class OrdersController {
  @Get() list() { return 'listed'; }
}
@Module({
  imports: [
    K8sAuthModule.forRoot({
      verifier: {
        kind: 'tokenreview',
        apiServer: {
          url: 'https://kubernetes.default.svc',
          caFile: \`\${MOUNT}/ca.crt\`,
          tokenFile: \`\${MOUNT}/token\`,
        },
      },
    }),
  ],
  controllers: [OrdersController],
})
export class InClusterModule {}
`;

/** The first block of TypeScript on a page that contains this text. */
function codeWith(page: string, text: string): string {
  const code = codeBlocks(page, 'ts').find((block) => block.includes(text));
  if (code === undefined) throw new Error(`${page} has no TypeScript with ${text}`);
  return code;
}

describe('npx nest-k8s-auth dev with the modules of the pages, unchanged', () => {
  /** In the repository, so that the compiled files find its packages. */
  let directory: string;
  let dev: DevProcess | undefined;

  beforeAll(() => {
    buildOnce();
    const cache = join(ROOT, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    directory = mkdtempSync(join(cache, 'dev-pages-'));
  }, BUILD_MS);
  afterAll(() => rmSync(directory, { recursive: true }));
  afterEach(async () => {
    await dev?.signal('SIGINT');
  }, RUN_MS);

  /** @returns the command that runs a class of this code */
  function commandFor(code: string, name: string, ...url: string[]): string[] {
    const file = join(directory, `${name}.mjs`);
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: {
        ...{ module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
        ...{ experimentalDecorators: true, emitDecoratorMetadata: true },
      },
    });
    writeFileSync(file, outputText);
    return [process.execPath, 'test/dev/page-application.process.mjs', file, name, ...url];
  }

  async function start(args: readonly string[], environment?: Record<string, string>): Promise<DevProcess> {
    dev = new DevProcess(['--port', String(await freePort()), ...args], environment);
    await dev.waitFor(/\[try\] here:/);
    return dev;
  }

  async function expectAnnouncedStatuses(started: DevProcess): Promise<void> {
    const tries = started.tries();
    const statuses = await Promise.all(tries.map(async ({ command }) => (await send(command)).status));
    expect(statuses.map(String)).toEqual(tries.map(({ status }) => status));
    expect(statuses).toContain(200);
  }

  /** One service that is called under its name in the cluster, and one that calls it. */
  async function startPair(called: readonly string[], calling: readonly string[], environment = {}) {
    const port = ['--port', String(await freePort())];
    return start([...called, '--and', '--verifier', 'none', ...port, ...calling], environment);
  }

  it(
    'runs the receiving module of README.md',
    async () => {
      const command = commandFor(codeWith('README.md', 'class OrdersController'), 'AppModule');
      const options = ['--audience', 'orders', '--path', '/orders', ...IDENTITIES];
      await expectAnnouncedStatuses(await start([...options, '--', ...command]));
    },
    RUN_MS,
  );

  it(
    'runs the calling module of README.md, whose token file and origin exist only in a cluster',
    async () => {
      const code = codeWith('README.md', 'class ClientModule');
      const command = commandFor(code, 'ClientModule', 'http://service2.mytest.svc/');
      const called = ['--as', 'mytest/service2', '--', ...SERVICE2];
      const started = await startPair(called, ['--as', 'shop/orders', '--', ...command]);
      const [line] = await started.waitFor(/^\[orders\] status=/);
      expect(line).toBe('[orders] status=200 hello system:serviceaccount:shop:orders');
      expect(started.text).not.toContain('ERR_K8S_AUTH');
    },
    RUN_MS,
  );

  it(
    'runs a module of docs/add-to-an-application.md that receives and calls',
    async () => {
      const code = codeWith('docs/add-to-an-application.md', 'K8sAuthHttpModule.register');
      const command = commandFor(code, 'AppModule', 'http://billing.shop.svc/orders');
      const called = ['--as', 'shop/billing', '--', ...ORDERS];
      const started = await startPair(called, ['--as', 'shop/orders', '--', ...command]);
      const [line] = await started.waitFor(/^\[orders\] status=/);
      expect(line).toContain('status=200 hello system:serviceaccount:shop:orders');
    },
    RUN_MS,
  );

  it(
    'runs a module with forRootAsync whose token file is a path of a pod',
    async () => {
      const code = codeWith('docs/calling.md', 'ORDERS_ORIGIN');
      const origin = 'http://orders';
      const command = commandFor(code, 'AppModule', `${origin}/orders`);
      const called = ['--as', 'shop/orders', '--', ...ORDERS];
      const calling = ['--as', 'shop/checkout', '--', ...command];
      const started = await startPair(called, calling, { ORDERS_ORIGIN: origin });
      const [line] = await started.waitFor(/^\[checkout\] status=/);
      expect(line).toContain('status=200 hello system:serviceaccount:shop:checkout');
    },
    RUN_MS,
  );

  it(
    'runs a module that names the API server and the mount of the ServiceAccount',
    async () => {
      const command = commandFor(IN_CLUSTER, 'InClusterModule');
      await expectAnnouncedStatuses(await start(['--path', '/orders', ...IDENTITIES, '--', ...command]));
    },
    RUN_MS,
  );
});
