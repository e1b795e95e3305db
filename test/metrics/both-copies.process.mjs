// Starts an application with the ES modules of the library and another one with its CommonJS modules, and prints their metrics.
import { NestFactory } from '@nestjs/core';
import * as esModules from 'nest-k8s-auth';
import * as esPrometheus from 'nest-k8s-auth/prometheus';
import { createRequire } from 'node:module';
import { register } from 'prom-client';

const require = createRequire(import.meta.url);
const copies = [
  { ...esModules, ...esPrometheus },
  { ...require('nest-k8s-auth'), ...require('nest-k8s-auth/prometheus') },
];
const apps = [];
for (const [index, { K8sAuthModule, K8sAuthPrometheusModule, K8sAuthTokenSource }] of copies.entries()) {
  const destinations = [{ origin: `http://destination-${index}`, tokenFile: process.argv[2] }];
  const imports = [K8sAuthModule.forRoot({ destinations }), K8sAuthPrometheusModule.forRoot({})];
  const module = { module: class AppModule {}, imports };
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  await app.get(K8sAuthTokenSource).getToken(destinations[0].origin);
  apps.push(app);
}
const [one, other] = copies.map(({ K8sAuthPrometheusModule }) => K8sAuthPrometheusModule);
process.stdout.write(JSON.stringify({ areTwoCopies: one !== other, metrics: await register.metrics() }));
for (const app of apps) await app.close();
