/** Sends requests with axios, with and without tokens of the library. Asked by figures/outbound.ts. */
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { K8sAuthHttpModule, K8sAuthModule } from 'nest-k8s-auth';
import { type SendOptions, type SendResult } from '../figures/outbound.js';
import { announce, answerParent } from '../support/program.js';

const [origin = '', tokenFile = ''] = process.argv.slice(2);

@Module({
  imports: [K8sAuthModule.forRoot({ destinations: [{ origin, tokenFile }] }), K8sAuthHttpModule.register()],
})
class WithTokens {}

@Module({ imports: [HttpModule.register({})] })
class WithoutTokens {}

async function axiosOf(module: Type): Promise<AxiosInstance> {
  const context = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
  return context.get(HttpService, { strict: false }).axiosRef;
}

/** What a service could write itself, without any check: the least that a token in every request costs. */
async function axiosWithHeader(): Promise<AxiosInstance> {
  const axios = (await axiosOf(WithoutTokens)).create();
  const authorization = `Bearer ${readFileSync(tokenFile, 'latin1')}`;
  const addHeader = (config: InternalAxiosRequestConfig) => {
    config.headers.set('Authorization', authorization);
    return config;
  };
  axios.interceptors.request.use(addHeader, null, { synchronous: true });
  return axios;
}

const clients = {
  header: await axiosWithHeader(),
  none: await axiosOf(WithoutTokens),
  interceptor: await axiosOf(WithTokens),
};

async function send({ variant, concurrency, durationMs, expectsToken }: SendOptions): Promise<SendResult> {
  const client = clients[variant];
  let requests = 0;
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const lane = async (): Promise<void> => {
    while (performance.now() - startedMs < durationMs) {
      const { status, data } = await client.get<{ hasToken: boolean }>(origin);
      if (status !== 200 || data.hasToken !== expectsToken)
        throw new Error('the server did not receive what it should');
      requests++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const { user, system } = process.cpuUsage(before);
  return { requests, cpuUs: user + system, durationMs: performance.now() - startedMs };
}

answerParent({ send });
announce('');
