import { type EndpointName } from './endpoint.js';
import { type JsonObject } from './jws.js';

/** One kind of fault. */
export type Fault =
  /** Another status, with a Status object unless `body` is given. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The honest answer, `ms` later by the cluster's clock. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** No answer at all; the connection stays open. */
  | { readonly kind: 'hang' }
  /** The connection ends with a TCP reset. */
  | { readonly kind: 'reset' }
  /** The honest answer's head and half of its body, then the connection ends. */
  | { readonly kind: 'cut' }
  /** The honest answer's head, then its body byte by byte, one every `ms` by the cluster's clock. */
  | { readonly kind: 'trickle'; readonly ms: number }
  /** The honest answer, but its body breaks the framing of HTTP (a chunk without a length), then the connection ends. */
  | { readonly kind: 'bad-framing' }
  /** The honest answer under another content type. */
  | { readonly kind: 'content-type'; readonly value: string }
  /** A JSON document of `bytes` bytes (default 16 MiB) that never closes. */
  | { readonly kind: 'huge'; readonly bytes?: number }
  /** 307 to another place. */
  | { readonly kind: 'redirect'; readonly to: string }
  /** The honest answer's head with another body; a function gets the honest one. */
  | { readonly kind: 'body'; readonly body: string | JsonObject | ((honest: JsonObject) => unknown) };

export interface FaultRule {
  readonly on: EndpointName | '*';
  readonly fault: Fault;
  /** Number of requests that the rule applies to; when omitted, all requests until the rule is removed. */
  readonly times?: number;
}

interface ActiveRule extends FaultRule {
  left: number;
}

/**
 * Rules that say which requests fail, and how. Rules with `times` apply first, in the order in which they were set. A
 * rule without `times` applies after them, and replaces the earlier rule without `times` for the same endpoint.
 */
export class Faults {
  private rules: ActiveRule[] = [];

  /** @returns a function that removes the fault */
  set(rule: FaultRule): () => void {
    const active: ActiveRule = { ...rule, left: rule.times ?? Infinity };
    this.rules = this.rules.filter(
      ({ on, left }) => on !== rule.on || Number.isFinite(left) || active.left < Infinity,
    );
    this.rules = [...this.rules, active].sort(limitedFirst);
    return () => {
      this.rules = this.rules.filter((candidate) => candidate !== active);
    };
  }

  clear(): void {
    this.rules = [];
  }

  /** @internal */
  take(endpoint: EndpointName | undefined): Fault | undefined {
    const rule = this.rules.find(({ on, left }) => left > 0 && (on === '*' || on === endpoint));
    if (!rule) return undefined;
    rule.left--;
    return rule.fault;
  }
}

/** A stable order: rules with `times` keep the order in which they were set. */
function limitedFirst(one: ActiveRule, other: ActiveRule): number {
  return Number(one.left === Infinity) - Number(other.left === Infinity);
}
