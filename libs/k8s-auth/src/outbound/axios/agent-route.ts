import { type AxiosAdapter } from 'axios';
import http from 'node:http';
import https from 'node:https';
import { type SentToken } from '../sent-token.js';

/** For an adapter and an origin: the function of node:http that has handed the last request to one of our agents. */
const knownFunctions = new WeakMap<AxiosAdapter, Map<string, object>>();

/**
 * How the http adapter of axios sends a request to an origin: through the function of node:http that sends it now. If this
 * function has handed the last request to one of our agents, the next one needs no visible header, because the agent adds the
 * token. This saves the checks of a long header by axios and by Node.
 *
 * A tool that replaces node:http in tests calls no agent and shows its user the headers, so it must get the header. It is
 * recognised because it replaces the function.
 * @internal
 */
export class AgentRoute {
  readonly #known: Map<string, object>;
  readonly #origin: string;
  readonly #request: object;

  constructor(adapter: AxiosAdapter, origin: string) {
    this.#known = knownFunctions.get(adapter) ?? new Map<string, object>();
    knownFunctions.set(adapter, this.#known);
    this.#origin = origin;
    this.#request = (origin.startsWith('https:') ? https : http).request;
  }

  get isKnown(): boolean {
    return this.#known.get(this.#origin) === this.#request;
  }

  /** Must be called after each request. If no agent has got it, the next request has a visible header. */
  note({ hasReachedAgent, isWithheld }: SentToken): void {
    if (hasReachedAgent && isWithheld) this.#known.set(this.#origin, this.#request);
    else this.#known.delete(this.#origin);
  }
}
