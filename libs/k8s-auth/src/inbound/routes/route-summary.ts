/** How a route treats callers. `refused` and `open`: it has no decorator, and `K8sAuthGuard` does or does not run on it. */
export type RouteKind = 'protected' | 'public' | 'refused' | 'open';

/** The routes of the controllers that one root serves. */
export interface RouteCounts {
  readonly protected: number;
  readonly public: number;
  /** Neither `@K8sAuth` nor `@Public`. */
  readonly undecorated: number;
  /** The undecorated routes that every caller may use, because `K8sAuthGuard` does not run on them. */
  readonly open: number;
}

interface Summary {
  readonly kinds: RouteKind[];
  readonly audiences: Set<string>;
}

/** Counts the routes of each root, for the log. @internal */
export class RouteSummary {
  private readonly byRoot = new Map<object, Summary>();

  /** @param root the root of the route's module; `undefined` if the module cannot access a `K8sAuthModule` */
  add(root: object | undefined, kind: RouteKind, audiences: readonly string[] = []): void {
    if (!root) return;
    const summary = this.byRoot.get(root) ?? { kinds: [], audiences: new Set() };
    this.byRoot.set(root, summary);
    summary.kinds.push(kind);
    for (const audience of audiences) summary.audiences.add(audience);
  }

  of(root: object): { readonly audiences: readonly string[]; readonly routes: RouteCounts } {
    const { kinds = [], audiences = [] } = this.byRoot.get(root) ?? {};
    const count = (kind: RouteKind) => kinds.filter((one) => one === kind).length;
    const open = count('open');
    return {
      audiences: [...audiences],
      routes: {
        protected: count('protected'),
        public: count('public'),
        undecorated: count('refused') + open,
        open,
      },
    };
  }
}
