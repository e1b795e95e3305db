import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { type AdapterName, type AppSetup, send, startApp } from '../../../test-support/inbound-app.js';
import { type CapturedLog } from '../../../test-support/captured-log.js';

/** A handler of the test controllers. */
export type Method = (this: unknown) => unknown;
/** Returns a function that replaces a method. */
export type Replace = (method: Method) => Method;

export const bound: Replace = (method) => method.bind(undefined);

/** Wraps a method and copies its metadata, as instrumentation does (OpenTelemetry for Nest). */
export const withMetadata: Replace = (method) => {
  const wrapper: Method = () => method.call(undefined);
  for (const key of Reflect.getMetadataKeys(method))
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), wrapper);
  return wrapper;
};

export const inheriting: Replace = (method) => {
  const wrapper: Method = () => method.call(undefined);
  Object.setPrototypeOf(wrapper, method);
  return wrapper;
};

/** Wraps a method and copies only the metadata that Nest needs to route it. */
export const withRouteMetadata: Replace = (method) => {
  const wrapper: Method = () => method.call(undefined);
  for (const key of [PATH_METADATA, METHOD_METADATA])
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), wrapper);
  return wrapper;
};

export function replaceMethods(prototype: object, replace: Replace, target = prototype): void {
  for (const name of Object.getOwnPropertyNames(prototype))
    if (name !== 'constructor')
      Object.defineProperty(target, name, {
        value: replace(Reflect.get(prototype, name) as Method),
        configurable: true,
        writable: true,
      });
}

/** Starts an application. `statuses(path)`: the statuses without a token and with the token of shop/checkout. */
export async function startAndAsk(
  adapter: AdapterName,
  setup: AppSetup,
): Promise<{ statuses: (path: string) => Promise<(number | undefined)[]>; log: CapturedLog }> {
  const { url, log } = await startApp(adapter, setup);
  const statuses = async (path: string): Promise<(number | undefined)[]> => [
    (await send(`${url}/${path}`)).status,
    (await send(`${url}/${path}`, 'Bearer abc')).status,
  ];
  return { statuses, log };
}
