// A service in an application that has installed only the required packages. `load` is `require` or `import` there.
import { Buffer } from 'node:buffer';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Prints the status of a request without and with a token. */
export async function receive(load) {
  const { Controller, Get, Module } = await load('@nestjs/common');
  const { NestFactory } = await load('@nestjs/core');
  const { ExpressAdapter } = await load('@nestjs/platform-express');
  const { K8sAuth, K8sAuthModule } = await load('nest-k8s-auth');
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync('sa.pub', publicKey.export({ type: 'spki', format: 'pem' }));

  class OrdersController {
    list() {
      return 'orders';
    }
  }
  const { prototype } = OrdersController;
  Get()(prototype, 'list', Object.getOwnPropertyDescriptor(prototype, 'list'));
  Controller('orders')(OrdersController);
  K8sAuth('orders')(OrdersController);
  class AppModule {}
  const verifier = { kind: 'jwt-pubkey', issuer: ISSUER, publicKeyFiles: ['sa.pub'] };
  Module({ imports: [K8sAuthModule.forRoot({ verifier })], controllers: [OrdersController] })(AppModule);

  const app = await NestFactory.create(AppModule, new ExpressAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/orders`;
  const authorization = `Bearer ${createToken(privateKey)}`;
  for (const headers of [{}, { authorization }]) {
    // Otherwise `close` may wait for the connection.
    const response = await fetch(url, { headers: { ...headers, connection: 'close' } });
    await response.text();
    console.log(response.status);
  }
  await app.close();
}

/** Registers the module for outgoing requests. Prints `started` or the error of startup, if `isStarted`. */
export async function call(load, isStarted) {
  const { Module } = await load('@nestjs/common');
  const { NestFactory } = await load('@nestjs/core');
  const { K8sAuthHttpModule, K8sAuthModule } = await load('nest-k8s-auth');
  class AppModule {}
  const destinations = [{ origin: 'http://billing.shop.svc', tokenFile: '/var/run/secrets/tokens/billing' }];
  Module({ imports: [K8sAuthModule.forRoot({ destinations }), K8sAuthHttpModule.register()] })(AppModule);
  if (!isStarted) return;
  const options = { logger: false, abortOnError: false };
  try {
    const app = await NestFactory.createApplicationContext(AppModule, options);
    console.log('started');
    await app.close();
  } catch (error) {
    console.log(error.message);
  }
}

/** Sends a request with axios. Prints the `Authorization` header that arrives. */
export async function send(load) {
  const { attachK8sAuth } = await load('nest-k8s-auth');
  const axios = await load('axios');
  const server = createServer((request, response) => response.end(request.headers.authorization)).listen(0);
  await once(server, 'listening');
  const destination = `http://127.0.0.1:${server.address().port}`;
  const http = (axios.default ?? axios).create();
  const getToken = (origin) => Promise.resolve(origin === destination ? 'a-token' : undefined);
  attachK8sAuth(http, { getToken });
  console.log((await http.get(destination)).data);
  server.close().closeAllConnections();
}

function createToken(privateKey) {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: ISSUER,
    sub: 'system:serviceaccount:shop:checkout',
    aud: ['orders'],
    iat: now,
    nbf: now,
    exp: now + 600,
    'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'checkout', uid: 'uid-1' } },
  };
  const text = [{ alg: 'ES256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}
