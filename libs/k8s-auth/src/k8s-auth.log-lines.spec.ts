import {
  ConsoleLogger,
  type ConsoleLoggerOptions,
  Controller,
  Get,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { inboundModule, send, shapedToken } from '../test-support/inbound-app.js';
import { ScriptedVerifier } from '../test-support/scripted-verifier.js';
import { InvalidTokenError } from './errors.js';
import { K8sAuth } from './index.js';
import { printedAsLine } from './util/log.js';

@Controller('orders')
class OrdersController {
  @Get(':id') @K8sAuth('orders') find() {}
}

const TOKEN = shapedToken({ sub: 'system:serviceaccount:shop:checkout', jti: '41b9' });
const REASON = '"aud" claim: expected orders, got billing';
const EVENT = {
  message: 'request refused',
  code: 'ERR_K8S_AUTH_TOKEN_AUDIENCE',
  route: 'GET /orders/:id',
  reason: REASON,
  sub: 'system:serviceaccount:shop:checkout',
  credentialId: 'JTI=41b9',
  verified: false,
};

let app: INestApplication | undefined;
const write = process.stdout.write.bind(process.stdout);
afterEach(async () => {
  process.stdout.write = write;
  await app?.close();
});

async function refuseOneRequest(logger: LoggerService): Promise<void> {
  const verifier = new ScriptedVerifier(() => {
    throw new InvalidTokenError('AUDIENCE', REASON);
  });
  const testing = await inboundModule({ controllers: [OrdersController], verifier }).compile();
  app = testing.createNestApplication({ logger });
  await app.listen(0, '127.0.0.1');
  expect((await send(`${await app.getUrl()}/orders/7`, `Bearer ${TOKEN}`)).status).toBe(401);
}

/** What Nest's ConsoleLogger writes about one refused request, from the chunk that contains the code to its end. */
async function written(options: ConsoleLoggerOptions): Promise<string> {
  const chunks: string[] = [];
  process.stdout.write = (chunk: string | Uint8Array) => chunks.push(String(chunk)) > 0;
  await refuseOneRequest(new ConsoleLogger(options));
  process.stdout.write = write;
  const refusals = chunks.filter((chunk) => chunk.includes('ERR_K8S_AUTH'));
  expect(refusals).toHaveLength(1);
  return refusals.join('');
}

describe('a refusal in the log of Nest', () => {
  it.each<[string, ConsoleLoggerOptions]>([
    ['by default', { colors: false }],
    ['with colors', { colors: true }],
    ['with compact: false', { colors: false, compact: false, breakLength: 80 }],
  ])('is one line of text %s', async (_, options) => {
    const text = await written(options);
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(text).toContain(
      "request refused { code: 'ERR_K8S_AUTH_TOKEN_AUDIENCE', route: 'GET /orders/:id', " +
        `reason: '${REASON}', sub: 'system:serviceaccount:shop:checkout', credentialId: 'JTI=41b9', verified: false }`,
    );
    expect(text).toMatch(/WARN.*\[K8sAuth\]/);
    expect(text).not.toContain(TOKEN);
  });

  it('is a structured object in JSON mode', async () => {
    const { level, context, message } = JSON.parse(await written({ json: true })) as Record<string, unknown>;
    expect({ level, context, message }).toEqual({ level: 'warn', context: 'K8sAuth', message: EVENT });
  });

  it('shows its fields in JSON mode with colors, which prints with util.inspect', async () => {
    const text = await written({ json: true, colors: true });
    expect(text).toMatch(/route:/);
    expect(text).not.toContain('request refused {');
  });

  it('is an object with these fields for a logger that takes objects', async () => {
    const events: unknown[] = [];
    const ignore = () => undefined;
    await refuseOneRequest({ log: ignore, error: ignore, warn: (event) => void events.push(event) });
    expect(events).toEqual([EVENT]);
    expect(Object.keys(events[0] as object)).toEqual(Object.keys(EVENT));
    expect({ ...(events[0] as object) }).toStrictEqual(EVENT);
    expect(JSON.parse(JSON.stringify(events[0]))).toStrictEqual(EVENT);
  });

  it('is one line with every entry of a long list', () => {
    const routes = Array.from({ length: 150 }, (_, index) => `OrdersController.method${index}`);
    const line = inspect(printedAsLine({ message: 'two\nlines', routes }));
    expect(line).toBe(`two lines { routes: [ ${routes.map((one) => `'${one}'`).join(', ')} ] }`);
    expect(inspect(printedAsLine({ message: 'only a message' }))).toBe('only a message');
  });

  it('is one line for a logger that makes a text of it', async () => {
    const lines: string[] = [];
    const ignore = () => undefined;
    await refuseOneRequest({ log: ignore, error: ignore, warn: (event) => void lines.push(String(event)) });
    expect(lines).toEqual([
      expect.stringMatching(/^request refused \{ code: 'ERR_K8S_AUTH_TOKEN_AUDIENCE', .*\}$/),
    ]);
  });
});
