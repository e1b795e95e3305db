import { inspect } from 'node:util';
import { expect } from '@jest/globals';
import { outcome, type OwnCluster, startOwnCluster } from '../src/api-server/own-cluster.fixture.js';
import { type InvalidTokenError, type InvalidTokenReason } from '../src/errors.js';
import { nextTurn } from '../src/util/timers.js';
import { type Verifier, type Verdict } from '../src/verifiers/verifier.js';
import { type EndpointName, type TokenOptions } from './index.js';

export { eventually } from '../test-support/until.js';

/** How a verifier differs from others, where it may. */
export interface VerifierTraits {
  /** What principals are `verifiedBy`. @default the name of the suite */
  readonly kind?: string;
  /** The endpoints of the API server that it cannot do without; none for one that asks nobody. */
  readonly upstreams: readonly EndpointName[];
  /** What it may say instead, for reasons that it leaves to the API server to find. */
  readonly reasons?: Partial<Record<InvalidTokenReason, readonly InvalidTokenReason[]>>;
  /** Like the API server, it takes the name from the `kubernetes.io` claim and leaves `sub` unread. */
  readonly ignoresSubject?: boolean;
}

const ASKED = ['orders'];

/** A verifier beside the cluster that it trusts, with the ServiceAccount `shop/checkout` and its pod in it. */
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

/** Not the token, and no part of it that is long enough to be of use. */
export function expectNoTokenText(shown: unknown, token: string): void {
  const text =
    inspect(shown, { depth: null, showHidden: true, maxStringLength: null }) + JSON.stringify(shown);
  for (const part of token.split('.').filter(({ length }) => length >= 16)) {
    expect(text).not.toContain(part.slice(0, 16));
    expect(text).not.toContain(part.slice(-16));
  }
}

// Beyond every deadline there is, and long before any token of the suite ends.
const CLOCK_STEPS = 150;
const MOST_TURNS = 1_000_000;

/** Turns the clock past whatever deadline the promise may wait for, then only the event loop. */
export async function settled<Value>({ clock }: OwnCluster, promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  void promise.finally(() => (isSettled = true));
  for (let step = 0; !isSettled; step++) {
    if (step > MOST_TURNS) throw new Error('has not settled');
    // Now and then also later: what happens before a deadline starts takes its time in the event loop.
    await (step < CLOCK_STEPS || step % 1_000 === 0 ? clock.advance(100) : nextTurn());
  }
  return promise;
}
