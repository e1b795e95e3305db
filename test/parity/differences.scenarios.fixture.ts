import { type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';
import http from 'node:http';
import { type Readable } from 'node:stream';
import { Agent as Dispatcher } from 'undici';
import { outcomeOf } from './observation.fixture.js';
import { type Scenario } from './scenario.fixture.js';

/** What differs on purpose. docs/calling.md says why, by the same names. */
export const differences: readonly Scenario[] = [
  {
    name: 'the agent of a request',
    adapters: ['http'],
    run: async ({ http: client, origin, config }) => {
      const answer: { request?: { agent: http.Agent } } = await client.get(origin, config());
      return { isGlobal: answer.request?.agent === http.globalAgent };
    },
    differs: { 'request.agent': ['outcome.isGlobal'] },
  },
  {
    name: 'a proxy that the environment names',
    adapters: ['http'],
    answer: (_request, response) => void response.end('arrived'),
    run: async ({ http, origin, elsewhere, config }) => {
      process.env['HTTP_PROXY'] = elsewhere;
      try {
        await http.get(`${origin}/x`, config());
      } finally {
        delete process.env['HTTP_PROXY'];
      }
    },
    differs: { 'proxy.environment': ['arrivals.0.url'] },
  },
  {
    name: 'what a fetch of the caller is told',
    adapters: ['fetch'],
    run: async ({ http, origin, config }) => {
      const seen: unknown[] = [];
      const env: AxiosRequestConfig['env'] = {
        fetch: (input, init) => {
          const { redirect, headers } = new Request(input, init);
          seen.push({ redirect, authorization: headers.has('authorization') });
          return fetch(input, init);
        },
      };
      await http.get(origin, config({ env }));
      return seen[0];
    },
    differs: { 'fetch.manual': ['outcome.redirect', 'outcome.authorization'] },
  },
  {
    name: 'too many redirects of a fetch',
    adapters: ['fetch'],
    answer: (_request, response) => void response.writeHead(302, { location: '/loop' }).end(),
    run: ({ http, origin, config }) => outcomeOf(http.get(`${origin}/loop`, config({ maxRedirects: 2 }))),
    differs: { 'fetch.maxRedirects': ['arrivals'] },
  },
  {
    name: 'what an adapter of the caller is told',
    adapters: ['http'],
    run: async ({ http, origin }) => {
      const told: Record<string, unknown> = {};
      const adapter = (config: InternalAxiosRequestConfig) => {
        told['credentials'] = config.headers.has('authorization');
        const settings = ['httpAgent', 'httpsAgent', 'proxy', 'beforeRedirect', 'fetchOptions'] as const;
        told['settings'] = settings.map((name) => config[name] !== undefined);
        return Promise.resolve({ data: '', status: 200, statusText: 'OK', headers: {}, config });
      };
      await http.get(origin, { adapter });
      return told;
    },
    differs: {
      'adapter.config': [
        'outcome.credentials',
        ...[0, 1, 2, 3, 4].map((index) => `outcome.settings.${index}`),
      ],
    },
  },
  ...['a signal, before the request'].map((name): Scenario => ({
    name: `the config of a request that was never sent: ${name}`,
    run: ({ http, origin, config }) => {
      const signal = AbortSignal.abort();
      return outcomeOf(http.get(origin, config({ signal })));
    },
    differs: { 'config.adapter': ['outcome.config.rest.adapter'] },
  })),
  {
    name: 'the config of an error that a stream has later, after a form was sent',
    adapters: ['http'],
    run: async ({ http, origin, config }) => {
      const response = await http.postForm<Readable>(
        origin,
        { field: 'value' },
        config({ responseType: 'stream', maxContentLength: 1 }),
      );
      const error = await response.data.toArray().catch((reason: unknown) => reason);
      const { config: late } = error as { config: unknown };
      return { isSame: late === response.config, keys: Object.keys(late as object).sort() };
    },
    differs: { 'stream.errorConfig': ['outcome.isSame'] },
  },
  {
    name: "the caller's dispatcher in the config",
    adapters: ['fetch'],
    run: async ({ http, origin, config }) => {
      const dispatcher = new Dispatcher();
      const response = await http.get(origin, config({ fetchOptions: { dispatcher } }));
      const shown = response.config.fetchOptions as { dispatcher: Dispatcher };
      await shown.dispatcher.close();
      return { isSame: shown.dispatcher === dispatcher, isClosed: dispatcher.closed };
    },
    differs: { 'fetch.dispatcher': ['outcome.isSame'] },
  },
  {
    name: 'a destination without a token',
    run: ({ http, tokenless, config }) =>
      http.get(tokenless, config()).then(
        ({ status }) => ({ status }),
        ({ name, code }: { name: string; code: string }) => ({ name, code }),
      ),
    differs: { 'token.missing': ['outcome.status', 'outcome.name', 'outcome.code', 'arrivals'] },
  },
  {
    name: 'a token that was replaced when the answer is 401',
    answer: (request, response) => {
      response.statusCode = request.url === '/again' ? 401 : 200;
      response.end();
    },
    run: async ({ http, origin, config, rotate }) => {
      await http.get(origin, config());
      await rotate();
      return { status: (await http.get(`${origin}/again`, config({ validateStatus: null }))).status };
    },
    differs: { 'token.replaced': ['arrivals'] },
  },
];
