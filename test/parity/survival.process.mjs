// Plays scenarios in a process without Jest: `node survival.process.mjs plain|ours`. Each gives a line of JSON: what the
// client saw, and what would have ended the process.
import { HttpModule, HttpService } from '@nestjs/axios';
import { NestFactory } from '@nestjs/core';
import { Buffer } from 'node:buffer';
import { K8sAuthHttpModule, K8sAuthModule } from 'nest-k8s-auth';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGzip, gunzip, gzip } from 'node:zlib';

const [, , client] = process.argv;
let said = [];
const say = (...words) => said.push(words.join(' '));
process.on('uncaughtException', ({ name, message }) => say('the process would have ended:', name, message));
const stream = { responseType: 'stream' };
const sink = () => new PassThrough().on('close', () => say('sink closed')).resume();

/** Resolves when the effects of a scenario have ended: the server has finished, and the queued work has run. */
async function settled() {
  await Promise.all(closing);
  // The client handles data that has arrived, and the output of zlib, before the answers to these requests.
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) =>
      get(`${origin}/fence`, { agent: false }, (end) => end.resume().on('close', resolve)),
    );
    await promisify(gunzip)(await promisify(gzip)('fence'));
    await setImmediate();
  }
}

function cutOff(status, headers = {}) {
  return (_request, response) =>
    response
      .writeHead(status, { 'content-length': '100', ...headers })
      .write('some', () => response.destroy());
}

function cutOffZip(_request, response) {
  response.writeHead(200, { 'content-encoding': 'gzip' });
  const zip = createGzip();
  zip.pipe(response);
  zip.write('some');
  zip.flush(() => response.destroy());
}

/** name: [answer of the server, what the client does] */
const scenarios = {
  'pipe without a listener': [
    cutOff(200),
    async (http, url) => void (await http.get(url, stream)).data.pipe(sink()),
  ],
  'only data is listened to': [
    cutOff(200),
    async (http, url) => void (await http.get(url, stream)).data.on('data', (chunk) => say(String(chunk))),
  ],
  'ignored stream': [cutOff(200), async (http, url) => void (await http.get(url, stream))],
  'late listener': [
    cutOff(200),
    async (http, url) => {
      const { data } = await http.get(url, stream);
      await new Promise((resolve) => data.once('close', resolve));
      data.on('error', (error) => say('error', error.message)).resume();
    },
  ],
  'early listener': [
    cutOff(200),
    async (http, url) => {
      const { data } = await http.get(url, stream);
      data.on('error', (error) => say('error', error.message)).resume();
    },
  ],
  'ignored body of a 401': [
    cutOff(401),
    async (http, url) => http.get(url, stream).catch(({ status }) => say(status)),
  ],
  'ignored body of a 500': [
    cutOff(500),
    async (http, url) => http.get(url, stream).catch(({ status }) => say(status)),
  ],
  'ignored body of a 404 without validation': [
    cutOff(404),
    async (http, url) => say((await http.get(url, { ...stream, validateStatus: null })).status),
  ],
  'encoded pipe without a listener': [
    cutOffZip,
    async (http, url) => void (await http.get(url, stream)).data.pipe(sink()),
  ],
  'pipe over maxContentLength': [
    (_request, response) => response.end('x'.repeat(100)),
    async (http, url) => void (await http.get(url, { ...stream, maxContentLength: 10 })).data.pipe(sink()),
  ],
  'pipe with progress': [
    cutOff(200),
    async (http, url) =>
      void (await http.get(url, { ...stream, onDownloadProgress: () => {} })).data.pipe(sink()),
  ],
  'signal on an ignored stream': [
    (_request, response) => response.write('some'),
    async (http, url) => {
      const controller = new globalThis.AbortController();
      await http.get(url, { ...stream, signal: controller.signal });
      controller.abort();
    },
  ],
  'destroyed stream': [
    (_request, response) => response.write('some'),
    async (http, url) => void (await http.get(url, stream)).data.destroy(),
  ],
  'destroyed stream with an error': [
    (_request, response) => response.write('some'),
    async (http, url) => void (await http.get(url, stream)).data.destroy(new RangeError('enough')),
  ],
  'iteration that is not caught': [
    cutOff(200),
    async (http, url) => {
      const { data } = await http.get(url, stream);
      void (async () => {
        for await (const chunk of data) say(String(chunk));
      })();
    },
  ],
  'rejection that is not caught': [cutOff(500), (http, url) => void http.get(url, stream)],
  'a fetch that is reset': [
    (_request, response) => response.destroy(),
    (http, url) =>
      http
        .get(url, { adapter: 'fetch' })
        .catch(({ message, code, cause }) => say(message, code, cause?.code)),
  ],
  'a fetch that is cut off': [
    cutOff(200),
    (http, url) =>
      http
        .get(url, { adapter: 'fetch' })
        .catch(({ message, code, cause }) => say(message, code, cause?.message, cause?.cause?.code)),
  ],
  'a web stream that is ignored': [
    cutOff(200),
    async (http, url) => void (await http.get(url, { ...stream, adapter: 'fetch' })),
  ],
  'kept connections': [
    (_request, response) => response.end('ok'),
    async (http, url) => {
      for (const adapter of ['http', 'fetch']) say((await http.get(url, { adapter })).data);
    },
  ],
};

let answer = () => {};
let closing = [];
const server = createServer((request, response) => {
  if (request.url === '/fence') return void response.end();
  closing.push(once(response, 'close'));
  answer(request, response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const tokenFile = join(mkdtempSync(join(tmpdir(), 'survival-')), 'token');
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
writeFileSync(tokenFile, [part({ alg: 'ES256' }), part({ aud: 'service2' }), part('signature')].join('.'));

class AppModule {}
const imports =
  client === 'plain'
    ? [HttpModule.register({})]
    : [K8sAuthModule.forRoot({ destinations: [{ origin, tokenFile }] }), K8sAuthHttpModule.register({})];
const app = await NestFactory.createApplicationContext({ module: AppModule, imports }, { logger: false });
const { axiosRef } = app.get(HttpService, { strict: false });
for (const [name, [serve, act]] of Object.entries(scenarios)) {
  [said, closing] = [[], []];
  answer = serve;
  const arrived = once(server, 'request');
  await Promise.all([act(axiosRef, origin), arrived]);
  await settled();
  console.log(JSON.stringify({ name, said }));
}
// Idle connections of the client must not keep the process alive; the server's end with them.
server.unref();
server.closeAllConnections();
