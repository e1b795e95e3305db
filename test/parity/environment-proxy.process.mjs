// Calls a destination with every adapter: `node environment-proxy.process.mjs <origin> <token file>`.
import { HttpService } from '@nestjs/axios';
import { NestFactory } from '@nestjs/core';
import { K8sAuthHttpModule, K8sAuthModule } from 'nest-k8s-auth';
import http from 'node:http';

const [, , origin, tokenFile] = process.argv;
class AppModule {}
const imports = [
  K8sAuthModule.forRoot({ destinations: [{ origin, tokenFile }] }),
  K8sAuthHttpModule.register(),
];
const app = await NestFactory.createApplicationContext({ module: AppModule, imports }, { logger: false });
const { axiosRef } = app.get(HttpService, { strict: false });
const ways = [
  {},
  { maxRedirects: 0 },
  { proxy: null },
  { httpAgent: http.globalAgent },
  { adapter: 'fetch' },
  { adapter: 'fetch', env: { fetch: (input, init) => fetch(input, init) } },
];
for (const way of ways) await axiosRef.get(origin, way);
console.log('called', ways.length, 'times');
