import { type ExecutionContext } from '@nestjs/common';
import { type HttpAdapterHost } from '@nestjs/core';
import { type Verify } from '../verifiers/verifier.js';
import { type RefusalLog } from './request/refusal-log.js';
import { type RoutePolicy } from './routes/route-policy.js';

/** Injection token of the {@link Verifier}; its value is `undefined` in a service that only calls others. @internal */
export const K8S_AUTH_VERIFIER = Symbol('K8S_AUTH:VERIFIER');

/** Injection token of the {@link InboundRoot}. Nest's error shows the text to users who forgot the module. @internal */
export const K8S_AUTH_INBOUND_ROOT = Symbol(
  'from K8sAuthModule: import K8sAuthModule.forRoot(...) or K8sAuthModule.forRootAsync(...)',
);

/** Everything that the guard needs to know about one route, computed at startup. */
export interface Route {
  /** `OrdersController.list` */
  readonly label: string;
  readonly policy: RoutePolicy;
  /** What the token must be issued for: one of these. Empty for routes that need no token. */
  readonly audiences: readonly string[];
  /** The `forRoot` that serves a protected route: its verifier decides. */
  readonly root: InboundRoot | undefined;
}

/** What a request can mean: one route, nothing that startup has seen, or several routes that differ in what they require. */
export type RouteMatch = Route | 'unknown' | 'ambiguous';

/** The route table, as guards use it. */
export interface RouteFinder {
  find(context: ExecutionContext): RouteMatch;
}

/** The receiving side of one `K8sAuthModule.forRoot`: it serves the controllers of the modules that import it. */
export interface InboundRoot {
  /** `undefined` in a service that only calls others. */
  readonly verify: Verify | undefined;
  /** What `@K8sAuth()` without an argument requires. */
  readonly audience: string | readonly string[] | undefined;
  /** Longer tokens are refused unread. Unit: bytes of the b64token, which is ASCII. */
  readonly maxTokenBytes: number;
  readonly refusals: RefusalLog;
  readonly adapterHost: HttpAdapterHost;
  /** Shared by all roots of an application. */
  readonly routes: RouteFinder;
}
