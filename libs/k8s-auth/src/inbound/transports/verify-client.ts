import { type NodeRequest } from '../request/bearer-token.js';
import { type RefusedConnectionError } from './handshake.transport.js';

/** The answer to an upgrade request. */
type Done = (isAccepted: boolean, status?: number, body?: string, headers?: Record<string, string>) => void;

interface UpgradeInfo {
  readonly req: NodeRequest;
}

/** The option `verifyClient` of the package ws: synchronous with one parameter, else with a callback. */
export type VerifyClient = (info: UpgradeInfo, done: Done) => unknown;

/** A function of the library -> the function that runs after it. */
const next = new WeakMap<VerifyClient, VerifyClient | undefined>();

/** Whether a server with the option `verifyClient` runs the given function of the library. @internal */
export function runs(option: unknown, ours: VerifyClient): boolean {
  let one = option as VerifyClient | undefined;
  while (typeof one === 'function' && one !== ours) one = next.get(one);
  return one === ours;
}

/**
 * The option for a server of the package ws that answers an upgrade request with 401, 403 or 503 if `decide` rejects. A
 * function of the application runs after it, and so only for accepted clients.
 * @param decide rejects with a {@link RefusedConnectionError} only
 * @internal
 */
export function verifyClientWith(
  ofApplication: VerifyClient | undefined,
  decide: (request: NodeRequest) => Promise<void>,
): VerifyClient {
  // The package reads the number of parameters.
  const verifyClient: VerifyClient = (info, done) => {
    decide(info.req)
      .then(
        () => askApplication(ofApplication, info, done),
        (error: RefusedConnectionError) => refuse(error, done),
      )
      // As for an error of the package itself: a function of the application has thrown.
      .catch(() => done(false, 500));
  };
  next.set(verifyClient, ofApplication);
  return verifyClient;
}

function askApplication(ofApplication: VerifyClient | undefined, info: UpgradeInfo, done: Done): void {
  if (!ofApplication) return done(true);
  if (ofApplication.length === 2) return void ofApplication(info, done);
  return done(Boolean(ofApplication(info, done)));
}

function refuse({ statusCode, data, retryAfterSeconds }: RefusedConnectionError, done: Done): void {
  done(false, statusCode, JSON.stringify(data), {
    'Content-Type': 'application/json',
    ...(statusCode === 401 && { 'WWW-Authenticate': 'Bearer' }),
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
  });
}
