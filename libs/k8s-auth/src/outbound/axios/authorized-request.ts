import { type AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { type AxiosCopy } from './axios-copy.js';
import { rememberConfig } from './repeated-request.js';
import { concealDispatcher, type Connections, proxyOf } from './connections.js';
import { discard, guardedRedirect, redact, SentToken } from './sent-token.js';
import { targetOf } from './request-target.js';

type Config = InternalAxiosRequestConfig;

/** What an axios instance was attached to, and what it sends by. */
export interface Attachment {
  readonly tokenSource: TokensByOrigin;
  readonly axios: AxiosCopy;
  readonly connections: Connections;
}

/** How one try ended. */
interface Attempt {
  readonly response?: AxiosResponse;
  readonly hasLeftOrigin: boolean;
  /** Gives the response or throws the error, as the adapter did. */
  readonly settle: () => AxiosResponse;
}

/**
 * Sends a request with the token of its origin, or as it is where there is none for it. An answer of 401 may only mean
 * that the token was replaced a moment ago: if the file holds another token by now, and the body can be sent again, the
 * request is repeated once.
 * @throws {TokenSourceError} the origin is listed and there is no token: nothing was sent
 * @throws {CanceledError} the request was cancelled, also while the file was read
 * @internal
 */
export async function sendAuthorized(config: Config, attachment: Attachment): Promise<AxiosResponse> {
  const { tokenSource, axios } = attachment;
  const origin = targetOf(config, axios);
  concealDispatcher(config);
  if (origin === undefined) return axios.send(config);
  const token =
    tokenSource.peekToken?.(origin) ?? (await axios.waitFor(tokenSource.getToken(origin), config));
  if (token === undefined) return axios.send(config);

  const configAsItWas = rememberConfig(config);
  const usesProxy = Boolean(proxyOf(config));
  const first = await attempt(config, config, new SentToken(origin, token, usesProxy), attachment);
  // A 401 of another origin says nothing about the token, which was not sent there.
  if (first.response?.status !== 401 || first.hasLeftOrigin) return first.settle();
  const renewing = Promise.resolve(tokenSource.renewToken?.(origin, token));
  const renewed = await axios.waitFor(renewing, config).catch((error: unknown) => {
    discard(first.response?.data);
    throw error;
  });
  const again = renewed === undefined ? undefined : configAsItWas();
  if (renewed === undefined || !again) return first.settle();
  discard(first.response.data);
  return (await attempt(again, config, new SentToken(origin, renewed, usesProxy), attachment)).settle();
}

/** @param shown what the caller sees as the config, in responses and in errors */
async function attempt(
  config: Config,
  shown: Config,
  sent: SentToken,
  { axios, connections }: Attachment,
): Promise<Attempt> {
  const settings: Partial<Config> = {
    headers: config.headers.concat({ Authorization: sent.header }),
    beforeRedirect: guardedRedirect(sent, config.beforeRedirect),
    ...connections.settingsFor(config, sent),
  };
  // Without a prototype, as axios makes its configs, so that it takes this one and no copy.
  const sentConfig = Object.assign(Object.create(null) as Config, config, settings);
  // An error of a stream that is read later shows this config.
  const sending = axios.send(sentConfig).finally(() => restore(sentConfig, shown, settings, sent));
  try {
    const response = await sending;
    hideToken(response, shown, sent);
    return { response, hasLeftOrigin: sent.hasLeftOrigin, settle: () => response };
  } catch (error) {
    const failure = Object(error) as Partial<AxiosError>;
    const { response } = failure;
    if (response) hideToken(response, shown, sent);
    hideToken(failure, shown, sent);
    redact(failure, sent.token, [shown, failure.request, response]);
    return {
      response,
      hasLeftOrigin: sent.hasLeftOrigin,
      settle: () => {
        throw error;
      },
    };
  }
}

function hideToken(outcome: { config?: Config; request?: unknown }, shown: Config, sent: SentToken): void {
  if (outcome.config) outcome.config = shown;
  // Adapters of others leave it there, HTTP/2 does, and the tunnel through a proxy of the caller's.
  if (!sent.isWithheld) redact(outcome.request, sent.token);
}

/** Makes a config that was sent the one that is shown, and leaves in both the headers that axios has added. */
function restore(
  sentConfig: Config,
  shown: Config,
  { headers = shown.headers, ...settings }: Partial<Config>,
  { token }: SentToken,
): void {
  if (String(headers.get('Authorization')).includes(token)) headers.delete('Authorization');
  shown.headers = headers;
  for (const name of Object.keys(settings) as (keyof Config)[]) {
    if (name in shown) Reflect.set(sentConfig, name, shown[name]);
    else Reflect.deleteProperty(sentConfig, name);
  }
}
