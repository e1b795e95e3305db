import { type IncomingHttpHeaders } from 'node:http';
import { type Answer } from './answer.js';
import { type Caller } from './caller.js';
import { type ClusterState } from './cluster-state.js';
import { type Right, type Rights } from './rights.js';
import { type SigningKeys } from './signing-keys.js';
import { type TokenAuthenticator } from './token-authenticator.js';
import { type TokenIssuer } from './token-issuer.js';
import { type Clock } from '../../src/util/clock.js';

/** Names under which faults are set and requests are counted. */
export type EndpointName =
  | 'tokenreviews'
  | 'tokenrequest'
  | 'discovery'
  | 'jwks'
  | 'accessreviews'
  | 'namespaces'
  | 'serviceaccounts'
  | 'pods'
  | 'apis'
  | 'health';

export interface PathParams {
  readonly name: string;
  readonly namespace: string;
}

export interface ApiRequest {
  readonly caller: Caller;
  /** The named groups of the endpoint's path; empty if there are none. */
  readonly params: PathParams;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Endpoint {
  readonly name: EndpointName;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: RegExp;
  /** Who may call the endpoint; administrators always may. */
  readonly access: 'everyone' | 'authenticated' | 'administrators' | Right;
  /** @throws {ApiError} for everything that is not a success */
  answer(request: ApiRequest): Answer;
}

/** The parts of the cluster that endpoints use. */
export interface ClusterParts {
  readonly clock: Clock;
  readonly state: ClusterState;
  readonly keys: SigningKeys;
  readonly rights: Rights;
  readonly issuer: string;
  readonly apiAudiences: readonly string[];
  readonly minimumTokenLifetimeMs: number;
  readonly tokens: TokenIssuer;
  readonly authenticator: TokenAuthenticator;
  /** The server's own address, without a slash at its end. */
  readonly url: () => string;
}
