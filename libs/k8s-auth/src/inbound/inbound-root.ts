import { type HttpAdapterHost } from '@nestjs/core';
import { type TokenVerifier } from '../verifiers/token-verifier.js';
import { type RefusalLog } from './request/refusal-log.js';
import { type RouteTable } from './routes/route-table.js';

/** Injection token of the {@link TokenVerifier}; its value is `undefined` in a service that only calls others. @internal */
export const K8S_AUTH_VERIFIER = Symbol('K8S_AUTH:VERIFIER');

/** Injection token of the {@link InboundRoot}. @internal */
export const K8S_AUTH_INBOUND_ROOT = Symbol('K8S_AUTH:INBOUND_ROOT');

/** The receiving side of one `K8sAuthModule.forRoot`: it serves the controllers of the modules that import it. */
export interface InboundRoot {
  readonly verifier: TokenVerifier | undefined;
  /** What `@K8sAuth()` without an argument requires. */
  readonly audience: string | readonly string[] | undefined;
  /** Longer tokens are refused unread. Unit: bytes of the b64token, which is ASCII. */
  readonly maxTokenBytes: number;
  readonly refusals: RefusalLog;
  readonly adapterHost: HttpAdapterHost;
  /** Shared by all roots of an application. */
  readonly routes: RouteTable;
}
