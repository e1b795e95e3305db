import { HttpService } from '@nestjs/axios';
import axios, { type AxiosRequestConfig } from 'axios';
import { type ServerResponse } from 'node:http';
import { type Observable } from 'rxjs';
import { describeError, outcomeOf } from './observation.fixture.js';
import { type Call, type Scenario } from './scenario.fixture.js';

type Cancel = () => void;
type Means = readonly [name: string, begin: () => { config: AxiosRequestConfig; cancel: Cancel }];

const means: readonly Means[] = [
  [
    'a signal',
    () => {
      const controller = new AbortController();
      return { config: { signal: controller.signal }, cancel: () => controller.abort() };
    },
  ],
  [
    'a signal with a reason',
    () => {
      const controller = new AbortController();
      return {
        config: { signal: controller.signal },
        cancel: () => controller.abort(new RangeError('mine')),
      };
    },
  ],
  [
    'a cancel token',
    () => {
      const { token, cancel } = axios.CancelToken.source();
      return { config: { cancelToken: token }, cancel: () => cancel('mine') };
    },
  ],
];

export const cancellations: readonly Scenario[] = means.flatMap(([name, begin]): Scenario[] => [
  {
    name: `${name}, before the request`,
    run: ({ http, origin, config }) => {
      const { config: more, cancel } = begin();
      cancel();
      return outcomeOf(http.get(origin, config(more)));
    },
    // The error of a cancel token knows no config.
    ...(name !== 'a cancel token' && { differs: { 'config.adapter': ['outcome.config.rest.adapter'] } }),
  },
  {
    name: `${name}, in the same tick`,
    run: ({ http, origin, config }) => {
      const { config: more, cancel } = begin();
      const outcome = outcomeOf(http.get(origin, config(more)));
      cancel();
      return outcome;
    },
    ignoresArrivals: true,
  },
  withServer(`${name}, before an answer`, begin, (_started, cancel) => cancel()),
  withServer(`${name}, after the headers`, begin, (response, cancel) => {
    response.write('some', () => setImmediate(cancel));
  }),
  {
    name: `${name}, after the end`,
    run: async ({ http, origin, config }) => {
      const { config: more, cancel } = begin();
      const outcome = await outcomeOf(http.get(origin, config(more)));
      cancel();
      return outcome;
    },
  },
]);

/** Cancels when the request has arrived. */
function withServer(
  name: string,
  begin: Means[1],
  act: (response: ServerResponse, cancel: Cancel) => void,
): Scenario {
  let cancelNow: Cancel = () => {};
  return {
    name,
    answer: (_request, response) => act(response, () => cancelNow()),
    run: ({ http, origin, config }) => {
      const { config: more, cancel } = begin();
      cancelNow = cancel;
      return outcomeOf(http.get(origin, config(more)));
    },
  };
}

/** A subscription to an HttpService that ends early. */
export const subscriptions: readonly Scenario[] = [
  {
    name: 'unsubscribing from an HttpService',
    adapters: ['http'],
    answer: (_request, response) => void response.write('some'),
    run: async ({ http, origin }: Call) => {
      const errors: unknown[] = [];
      const answer: Observable<unknown> = new HttpService(http).get(origin);
      const closed = new Promise<void>((resolve) => {
        const subscription = answer.subscribe({
          error: (error: unknown) => errors.push(describeError(error)),
        });
        setImmediate(() => {
          subscription.unsubscribe();
          resolve();
        });
      });
      await closed;
      return errors;
    },
    ignoresArrivals: true,
  },
];
