// Calls a destination with every adapter, and every default of Node set to a proxy: `node environment-proxy.process.mjs <origin> <token file>`.
import { HttpService } from '@nestjs/axios';
import { NestFactory } from '@nestjs/core';
import { K8sAuthHttpModule, K8sAuthModule } from 'nest-k8s-auth';
import http from 'node:http';
import { EnvHttpProxyAgent, setGlobalDispatcher } from 'undici';

const [, , origin, tokenFile] = process.argv;
class AppModule {}
const imports = [
  K8sAuthModule.forRoot({ destinations: [{ origin, tokenFile }] }),
  K8sAuthHttpModule.register(),
];
const app = await NestFactory.createApplicationContext({ module: AppModule, imports }, { logger: false });
const { axiosRef } = app.get(HttpService, { strict: false });
setGlobalDispatcher(new EnvHttpProxyAgent());
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
