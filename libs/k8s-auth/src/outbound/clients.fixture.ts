import axios from 'axios';
import ky from 'ky';
import nodeFetch from 'node-fetch';
import { Readable } from 'node:stream';
import * as undici from 'undici';
import * as undici6 from 'undici-6';
import { attachK8sAuth } from './axios/attach-k8s-auth.js';
import { createK8sAuthFetch } from './fetch/create-k8s-auth-fetch.js';
import { type TokensByOrigin } from './k8s-auth-token-source.js';
import { k8sAuthInterceptor } from './undici/k8s-auth-interceptor.js';

/** A request that every client can send. */
export interface Call {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** `stream`: a body that can be read once. */
  readonly body?: string | { readonly stream: string };
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The client's own object for the response. */
  readonly raw: unknown;
}

/** Sends one call, and follows redirects. A 401 is an answer, not an error. */
export type Send = (call: Call) => Promise<Answer>;

/** A client with the token of its destinations. */
export interface ContractClient {
  readonly name: string;
  readonly attach: (tokenSource: TokensByOrigin) => Send;
}

const streamOf = ({ stream }: { stream: string }) => Readable.from([Buffer.from(stream)]);

function withAxios(adapter: 'http' | 'fetch'): ContractClient['attach'] {
  return (tokenSource) => {
    const client = axios.create({ adapter, validateStatus: null, responseType: 'text' });
    attachK8sAuth(client, tokenSource);
    return async ({ body, ...call }) => {
      const raw = await client.request<string>({
        ...call,
        data: typeof body === 'object' ? streamOf(body) : body,
        ...(body !== undefined && { maxRedirects: typeof body === 'object' ? 0 : 5 }),
      });
      return { status: raw.status, text: raw.data, raw };
    };
  };
}

function withFetch(fetch?: typeof globalThis.fetch, webStreams = true): ContractClient['attach'] {
  return (tokenSource) => {
    const fetchWithToken = createK8sAuthFetch(tokenSource, fetch);
    return async ({ url, body, ...init }) => {
      const stream = typeof body === 'object' ? streamOf(body) : body;
      const raw = await fetchWithToken(url, {
        ...init,
        ...(typeof body === 'object' && { duplex: 'half' }),
        body: (webStreams && stream instanceof Readable
          ? Readable.toWeb(stream)
          : stream) as RequestInit['body'],
      });
      return { status: raw.status, text: await raw.text(), raw };
    };
  };
}

const withRequestObjects: ContractClient['attach'] = (tokenSource) => {
  const fetchWithToken = createK8sAuthFetch(tokenSource);
  return async ({ url, body, ...init }) => {
    const stream = typeof body === 'object' ? Readable.toWeb(Readable.from([Buffer.alloc(2_000_000)])) : body;
    const options = {
      ...init,
      body: stream as RequestInit['body'],
      ...(typeof body === 'object' && { duplex: 'half' }),
    };
    const raw = await fetchWithToken(new Request(url, options as RequestInit));
    return { status: raw.status, text: await raw.text(), raw };
  };
};

const withKy: ContractClient['attach'] = (tokenSource) => {
  const client = ky.create({ fetch: createK8sAuthFetch(tokenSource), throwHttpErrors: false, retry: 0 });
  return async ({ url, body, ...init }) => {
    const stream = typeof body === 'object' ? Readable.toWeb(Readable.from([Buffer.alloc(2_000_000)])) : body;
    const raw = await client(url, { ...init, body: stream as never });
    return { status: raw.status, text: await raw.text(), raw };
  };
};

type Undici = Pick<typeof undici, 'Agent' | 'request' | 'interceptors'>;

function withUndici(
  { Agent, request, interceptors }: Undici,
  order: 'last' | 'first' | 'under a retry',
): ContractClient['attach'] {
  return (tokenSource) => {
    const redirect = interceptors.redirect({ maxRedirections: 5 });
    const retry = interceptors.retry({ maxRetries: 1, statusCodes: [], errorCodes: [] });
    const ours = k8sAuthInterceptor(tokenSource);
    const dispatcher = new Agent().compose(
      ...{ last: [redirect, ours], first: [ours, redirect], 'under a retry': [ours, retry, redirect] }[order],
    );
    return async ({ url, method = 'GET', body, ...options }) => {
      const raw = await request(url, {
        ...options,
        dispatcher,
        method: method as 'GET',
        body: typeof body === 'object' ? streamOf(body) : (body ?? null),
      });
      return { status: raw.statusCode, text: await raw.body.text(), raw };
    };
  };
}

/** Every client that this library supports, with all ways to send a request that differ inside of the library. */
export const CLIENTS: readonly ContractClient[] = [
  { name: 'axios', attach: withAxios('http') },
  { name: "axios with its adapter 'fetch'", attach: withAxios('fetch') },
  { name: 'createK8sAuthFetch', attach: withFetch() },
  { name: 'createK8sAuthFetch with Request objects', attach: withRequestObjects },
  {
    name: 'createK8sAuthFetch with the fetch of undici',
    attach: withFetch(undici.fetch as unknown as typeof fetch),
  },
  {
    name: 'createK8sAuthFetch with node-fetch',
    attach: withFetch(nodeFetch as unknown as typeof fetch, false),
  },
  { name: 'ky', attach: withKy },
  { name: 'undici 7', attach: withUndici(undici, 'last') },
  { name: 'undici 7, inside of redirects', attach: withUndici(undici, 'first') },
  { name: 'undici 7, inside of retries and redirects', attach: withUndici(undici, 'under a retry') },
  { name: 'undici 6', attach: withUndici(undici6 as unknown as Undici, 'last') },
  { name: 'undici 6, inside of redirects', attach: withUndici(undici6 as unknown as Undici, 'first') },
  {
    name: 'undici 6, inside of retries and redirects',
    attach: withUndici(undici6 as unknown as Undici, 'under a retry'),
  },
];
