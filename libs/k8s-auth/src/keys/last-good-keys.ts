import { type Clock } from '../util/clock.js';
import { KeySet } from './key-set.js';
import { type IssuerKeys } from './key-source.js';

const MAX_STALE_USE_MS = 24 * 3_600_000;
// An API server that refuses us is reachable: it may have dropped the key that our own token is of, and that key must
// not live on here. Time for some attempts, because one that has just started refuses for moments.
const MAX_USE_ONCE_REFUSED_MS = 10 * 60_000;

/** Keys as they are used. @internal */
export interface HeldKeys {
  readonly issuers: readonly string[];
  readonly keys: KeySet;
}

/**
 * What the last good attempt brought, for as long as it may be used: 24 h, or 10 min once we were refused, whatever the
 * attempts after that end with. Ages are monotonic, so a jump of the wall clock neither ends them nor lets them live on.
 * @internal
 */
export class LastGoodKeys {
  private held?: HeldKeys;
  private fetchedAtMs = 0;
  private maxUseMs = MAX_STALE_USE_MS;

  constructor(private readonly clock: Clock) {}

  replace({ issuers, keys }: IssuerKeys): void {
    this.held = { issuers, keys: new KeySet(keys) };
    this.fetchedAtMs = this.clock.monotonicMs();
    this.maxUseMs = MAX_STALE_USE_MS;
  }

  /** The source does not know us any more. Only keys that it gives us from then on get their whole time. */
  shorten(): void {
    this.maxUseMs = MAX_USE_ONCE_REFUSED_MS;
  }

  /** `undefined` also when they are too old. */
  usable(): HeldKeys | undefined {
    return this.clock.monotonicMs() - this.fetchedAtMs <= this.maxUseMs ? this.held : undefined;
  }

  /** Whom they speak for, also when they are too old by now; `undefined` before the first. */
  get issuers(): readonly string[] | undefined {
    return this.held?.issuers;
  }
}
