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
for (const [index, { K8sAuthModule, K8sAuthPrometheusModule }] of copies.entries()) {
  const destinations = [{ origin: `http://destination-${index}`, tokenFile: process.argv[2] }];
  const imports = [K8sAuthModule.forRoot({ destinations }), K8sAuthPrometheusModule.forRoot({})];
  apps.push(
    await NestFactory.createApplicationContext({ module: class AppModule {}, imports }, { logger: false }),
  );
}
const [one, other] = copies.map(({ K8sAuthPrometheusModule }) => K8sAuthPrometheusModule);
process.stdout.write(JSON.stringify({ areTwoCopies: one !== other, metrics: await register.metrics() }));
for (const app of apps) await app.close();
