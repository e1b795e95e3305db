import { inspect } from 'node:util';
import { expect } from '@jest/globals';
import { outcome, type OwnCluster, startOwnCluster } from '../src/api-server/own-cluster.fixture.js';
import { type InvalidTokenError, type InvalidTokenReason } from '../src/errors.js';
import { nextTurn } from '../src/util/timers.js';
import { type Verifier, type Verdict } from '../src/verifiers/verifier.js';
import { type EndpointName, type TokenOptions } from './index.js';

export { eventually } from '../test-support/until.js';

/** The differences that are allowed between verifiers. */
export interface VerifierTraits {
  /** The `verifiedBy` of principals. @default the name of the suite */
  readonly kind?: string;
  /** The endpoints of the API server that the verifier needs; empty for a verifier that makes no requests. */
  readonly upstreams: readonly EndpointName[];
  /** Other reasons that are allowed, for checks that the verifier leaves to the API server. */
  readonly reasons?: Partial<Record<InvalidTokenReason, readonly InvalidTokenReason[]>>;
  /** Like the API server, it takes the name from the `kubernetes.io` claim and leaves `sub` unread. */
  readonly ignoresSubject?: boolean;
}

const ASKED = ['orders'];

/** A verifier and the cluster that it trusts, which has the ServiceAccount `shop/checkout` and its pod. */
export class VerifierBench {
  private started?: { readonly own: OwnCluster; readonly verifier: Verifier };

  constructor(
    private readonly makeVerifier: (own: OwnCluster) => Promise<Verifier>,
    private readonly traits: VerifierTraits,
  ) {}

  get own(): OwnCluster {
    return this.parts().own;
  }

  get verifier(): Verifier {
    return this.parts().verifier;
  }

  async start(): Promise<void> {
    const own = await startOwnCluster();
    await own.cluster.createServiceAccount('shop', 'checkout');
    await own.cluster.createPod('shop', 'checkout-1', { serviceAccount: 'checkout' });
    this.started = { own, verifier: await this.makeVerifier(own) };
  }

  async stop(): Promise<void> {
    await this.verifier.close();
    await this.own.close();
  }

  mint(options: Partial<TokenOptions> = {}): Promise<string> {
    const account = { namespace: 'shop', serviceAccount: 'checkout' };
    return this.own.cluster.createToken({ ...account, audiences: ASKED, ...options });
  }

  async verify(token: string, asked: readonly string[] = ASKED): Promise<Verdict> {
    return this.verifier.verify(token, asked);
  }

  async expectRefusal(token: string, reason: InvalidTokenReason, asked?: readonly string[]): Promise<void> {
    const error = await outcome(this.verify(token, asked));
    const allowed = this.traits.reasons?.[reason] ?? [reason];
    /* eslint-disable jest/no-standalone-expect -- called from tests only */
    expect(error).toMatchObject({ name: 'InvalidTokenError' });
    const refusal = error as InvalidTokenError;
    expect(allowed).toContain(refusal.reason);
    expect(refusal.code).toBe(`ERR_K8S_AUTH_TOKEN_${refusal.reason}`);
    /* eslint-enable jest/no-standalone-expect */
    expectNoTokenText(error, token);
  }

  private parts() {
    if (!this.started) throw new Error('bench was not started');
    return this.started;
  }
}

/** Expects that the text contains neither the token nor a part of it that is long enough to be useful. */
export function expectNoTokenText(shown: unknown, token: string): void {
  const text =
    inspect(shown, { depth: null, showHidden: true, maxStringLength: null }) + JSON.stringify(shown);
  for (const part of token.split('.').filter(({ length }) => length >= 16)) {
    expect(text).not.toContain(part.slice(0, 16));
    expect(text).not.toContain(part.slice(-16));
  }
}

// Longer than every deadline, and long before any token of the suite expires.
const CLOCK_STEPS = 150;
const MOST_TURNS = 1_000_000;

/** Advances the clock past every deadline that the promise may wait for, then only runs the event loop. */
export async function settled<Value>({ clock }: OwnCluster, promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  void promise.finally(() => (isSettled = true));
  for (let step = 0; !isSettled; step++) {
    if (step > MOST_TURNS) throw new Error('has not settled');
    // Advances again later from time to time: the work before a deadline starts needs time in the event loop.
    await (step < CLOCK_STEPS || step % 1_000 === 0 ? clock.advance(100) : nextTurn());
  }
  return promise;
}
