/** How many requests one route would have refused with one error code. @publicApi */
export interface WouldRefuseCount {
  /** The pattern of the route, such as `GET /orders/:id`. Never a URL. */
  readonly route: string;
  /** The code of the error, such as `ERR_K8S_AUTH_TOKEN_MISSING`. */
  readonly code: string;
  /** Since the start of the process. */
  readonly count: number;
}

/** Bounds the memory. A large service has about as many pairs of route and code. */
const MAX_COUNTS = 1_000;
const OTHER: WouldRefuseCount = { route: '(other routes)', code: '(other codes)', count: 0 };

/**
 * Counts the requests that passed although they would have been refused, because `enforce` is `false` for their route.
 * Injectable. A route is safe to enforce once its counts no longer grow.
 * @publicApi
 */
export class K8sAuthWouldRefuseCounts {
  private readonly byRoute = new Map<string, WouldRefuseCount>();

  /** One entry for each route and code that has occurred, at most 1001. */
  list(): readonly WouldRefuseCount[] {
    return [...this.byRoute.values()];
  }

  /** @internal */
  add(route: string, code: string): void {
    const isFull = this.byRoute.size >= MAX_COUNTS && !this.byRoute.has(`${code} ${route}`);
    const [key, topic] = isFull ? ['', OTHER] : [`${code} ${route}`, { route, code }];
    this.byRoute.set(key, { ...topic, count: (this.byRoute.get(key)?.count ?? 0) + 1 });
  }
}
