import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type INestApplication } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { K8sAuthGuard, K8sAuthModule } from 'nest-k8s-auth';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { codeBlocks } from './code-blocks.js';
import { OldOrdersController, OrdersController } from './migrate.example.js';

it('docs/migrate.md shows the controllers that these tests run', () => {
  const example = readFileSync(join(import.meta.dirname, 'migrate.example.ts'), 'utf8');
  expect(codeBlocks('docs/migrate.md', 'ts')).toContain(example);
});

describe('two paths during a migration', () => {
  const key = 'key-of-checkout';
  let cluster: LocalCluster;
  let app: INestApplication;

  beforeAll(async () => {
    process.env['ORDERS_API_KEY'] = key;
    cluster = await LocalCluster.start({ signingAlgorithm: 'ES256' });
    await cluster.createServiceAccount('shop', 'checkout');
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'checkout' });
    const publicKeyFile = `${mount}-sa.pub`;
    writeFileSync(publicKeyFile, cluster.publicKeysPem());
    const testing = await Test.createTestingModule({
      imports: [
        K8sAuthModule.forRoot({
          verifier: { kind: 'jwt-pubkey', issuer: cluster.issuer, publicKeyFiles: [publicKeyFile] },
        }),
      ],
      controllers: [OldOrdersController, OrdersController],
      providers: [{ provide: APP_GUARD, useExisting: K8sAuthGuard }],
    }).compile();
    app = testing.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    delete process.env['ORDERS_API_KEY'];
    await app?.close();
    await cluster?.close();
  });

  async function statusOf(path: string, headers: Record<string, string>): Promise<number> {
    return (await fetch(`${await app.getUrl()}${path}`, { headers })).status;
  }

  it('accept the old credential at the old path only, and the token at the new path only', async () => {
    const account = { namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] };
    const token = { authorization: `Bearer ${await cluster.createToken(account)}` };
    const oldKey = { 'x-api-key': key };
    expect(await statusOf('/orders', oldKey)).toBe(200);
    expect(await statusOf('/orders', token)).toBe(403);
    expect(await statusOf('/orders', { ...oldKey, ...token })).toBe(200);
    expect(await statusOf('/internal/orders', token)).toBe(200);
    expect(await statusOf('/internal/orders', oldKey)).toBe(401);
  });
});
