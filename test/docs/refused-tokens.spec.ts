import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Post } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  allowServiceAccounts,
  K8sAuth,
  K8sAuthGuard,
  K8sAuthModule,
  type VerifierOptions,
} from 'nest-k8s-auth';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { findDifference } from '../tutorial/shown-output.fixture.js';
import { readBlocks, readPage } from './code-blocks.js';

const page = readPage('docs/refused-tokens.md');
const shownLines = new Map(
  readBlocks(page)
    .filter(({ language }) => language === 'text')
    .map(({ heading, text }) => [heading, text]),
);

@Controller('orders')
@K8sAuth('orders')
class OrdersController {
  @Get()
  list() {
    return 'orders';
  }

  @Post()
  @K8sAuth('orders', allowServiceAccounts('shop/checkout'))
  create() {
    return 'created';
  }
}

@Controller('metrics')
class MetricsController {
  @Get()
  read() {
    return 'metrics';
  }
}

interface Event {
  readonly message: string;
  readonly code?: string;
}

// Nest has one logger for all applications of a process.
const events: Event[] = [];
const log = (event: Event) => events.push(event);

/** An application that is asked for its log line. */
class Service {
  private constructor(private readonly app: INestApplication) {}

  static async start(verifier: VerifierOptions): Promise<Service> {
    const testing = await Test.createTestingModule({
      imports: [K8sAuthModule.forRoot({ verifier })],
      controllers: [OrdersController, MetricsController],
      providers: [{ provide: APP_GUARD, useExisting: K8sAuthGuard }],
    }).compile();
    const service = new Service(testing.createNestApplication());
    service.app.useLogger({ log, warn: log, error: log });
    await service.app.listen(0, '127.0.0.1');
    return service;
  }

  /** The line that refuses a request with this header. */
  async refuse(authorization?: string, path = '/orders', method = 'GET'): Promise<string> {
    events.length = 0;
    const headers = authorization === undefined ? undefined : { authorization };
    await fetch(`${await this.app.getUrl()}${path}`, { method, headers });
    const [event] = events.filter(({ message }) => message === 'request refused');
    const { message, ...fields } = { ...event };
    return `${message} ${inspect(fields, { breakLength: Infinity, compact: true })}`;
  }

  close = () => this.app.close();
}

describe('docs/refused-tokens.md', () => {
  let cluster: LocalCluster;
  let local: Service;
  let reviewing: Service;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ signingAlgorithm: 'ES256' });
    for (const name of ['checkout', 'orders']) await cluster.createServiceAccount('shop', name);
    cluster.grant('create tokenreviews', 'shop/orders');
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'orders' });
    const keys = `${mount}-sa.pub`;
    writeFileSync(keys, cluster.publicKeysPem());
    local = await Service.start({ kind: 'jwt-pubkey', issuer: cluster.issuer, publicKeyFiles: [keys] });
    reviewing = await Service.start({
      kind: 'tokenreview',
      apiServer: { url: cluster.url, caFile: cluster.caFile, tokenFile: join(mount, 'token') },
      timeoutMs: 500,
    });
  });
  afterAll(async () => {
    await local?.close();
    await reviewing?.close();
    await cluster?.close();
  });

  const token = async (options: Partial<Parameters<LocalCluster['createToken']>[0]> = {}) =>
    `Bearer ${await cluster.createToken({
      ...{ namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] },
      ...options,
    })}`;
  const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

  it.each<[string, () => Promise<string>]>([
    ['TOKEN_MISSING', () => local.refuse()],
    ['CREDENTIALS_MALFORMED', () => local.refuse('Bearer Bearer abc')],
    ['TOKEN_MALFORMED', () => local.refuse('Bearer key-of-checkout')],
    ['TOKEN_EXPIRED', async () => local.refuse(await token({ expirationSeconds: -120 }))],
    ['TOKEN_NOT_YET_VALID', async () => local.refuse(await token({ claims: { nbf: inAnHour() } }))],
    ['TOKEN_ISSUER', async () => local.refuse(await token({ claims: { iss: 'https://elsewhere.example' } }))],
    ['TOKEN_AUDIENCE', async () => local.refuse(await token({ audiences: ['billing'] }))],
    ['TOKEN_SIGNATURE', async () => local.refuse(await token({ header: { kid: 'of-another-cluster' } }))],
    [
      'PRINCIPAL_FORBIDDEN',
      async () => local.refuse(await token({ serviceAccount: 'default' }), '/orders', 'POST'),
    ],
    ['ROUTE_UNDECORATED', () => local.refuse(undefined, '/metrics')],
    [
      'TOKEN_REJECTED',
      async () => {
        await cluster.createPod('shop', 'checkout-1', { serviceAccount: 'checkout' });
        const bound = await token({ pod: 'checkout-1' });
        await cluster.deletePod('shop', 'checkout-1');
        return reviewing.refuse(bound);
      },
    ],
    [
      'VERIFIER_UNAVAILABLE',
      async () => {
        await cluster.outage();
        return reviewing.refuse(await token());
      },
    ],
  ])('shows the line that is logged with ERR_K8S_AUTH_%s', async (suffix, refuse) => {
    const shown = shownLines.get(`ERR_K8S_AUTH_${suffix}`) ?? '(the page shows no line)';
    expect(findDifference(shown, await refuse())).toBeUndefined();
  });

  it('has a section for every code, so that a tool can link to it', () => {
    const errors = readFileSync(join(import.meta.dirname, '../../libs/k8s-auth/src/errors.ts'), 'utf8');
    const unionOf = (name: string) =>
      [...(new RegExp(`type ${name} =([^;]+);`).exec(errors)?.[1] ?? '').matchAll(/'([A-Z_]+)'/g)].map(
        ([, suffix = '']) => suffix,
      );
    const codes = [
      ...unionOf('K8sAuthErrorCodeSuffix'),
      ...unionOf('InvalidTokenReason').map((reason) => `TOKEN_${reason}`),
      ...unionOf('TokenFileReason').map((reason) => `TOKEN_FILE_${reason}`),
    ].map((suffix) => `ERR_K8S_AUTH_${suffix}`);
    expect(codes.length).toBeGreaterThanOrEqual(19);
    const headings = [...page.matchAll(/^### (ERR_\w+)$/gm)].map(([, heading]) => heading);
    expect(new Set(headings)).toEqual(new Set(codes));
  });
});
