import { createPrincipal, type Principal } from '../../src/identity/principal.js';
import {
  bareDestinationOf,
  type DestinationOptions,
  originOfUrl,
} from '../../src/outbound/destinations.options.js';
import {
  type DestinationState,
  K8sAuthTokenSource,
  type TokenSourceDependencies,
} from '../../src/outbound/k8s-auth-token-source.js';
import { createTestToken } from './test-callers.js';

/** A token that the library has supplied for one request. It does not contain the token. @publicApi */
export interface SuppliedToken {
  /** The destination, as in the options. */
  readonly origin: string;
  /** `audience` of the destination. Omitted if the options name none. */
  readonly audience?: string;
}

interface Destination extends SuppliedToken {
  readonly tokenFile: string;
  readonly token: string;
}

/**
 * Supplies test tokens to the destinations, and records for which requests. Reads no file. The tokens name `self` as the
 * caller, so that another application of `testK8sAuth` in the same process accepts them.
 * @internal
 */
export class TestTokenSource extends K8sAuthTokenSource {
  readonly #byOrigin = new Map<string, Destination>();

  /** @param supplied where this source records what it supplies; the sources of one application share it */
  constructor(
    destinations: readonly DestinationOptions[],
    dependencies: TokenSourceDependencies,
    self: Principal,
    readonly supplied: SuppliedToken[],
  ) {
    super(destinations, dependencies);
    for (const { origin, tokenFile, audience } of destinations) {
      const audiences = audience === undefined ? [] : [audience];
      const token = createTestToken({ principal: withAudiences(self, audiences) });
      const known = { origin, tokenFile, token, ...(audience !== undefined && { audience }) };
      this.#byOrigin.set(bareDestinationOf(origin) ?? origin, known);
    }
  }

  override getToken(origin: string): Promise<string | undefined> {
    return Promise.resolve(this.peekToken(origin));
  }

  override peekToken(url: string): string | undefined {
    const destination = this.#byOrigin.get(originOfUrl(url) ?? url);
    if (!destination) return undefined;
    const { origin, audience, token } = destination;
    this.supplied.push(audience === undefined ? { origin } : { origin, audience });
    return token;
  }

  override renewToken(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  override states(): readonly DestinationState[] {
    return [...this.#byOrigin].map(([origin, { tokenFile }]) => ({ origin, tokenFile, hasToken: true }));
  }

  override readDueFiles(): void {}
}

function withAudiences(principal: Principal, audiences: readonly string[]): Principal {
  const { issuedAt: _issuedAt, expiresAt: _expiresAt, ...facts } = principal;
  return createPrincipal({ ...facts, audiences });
}
