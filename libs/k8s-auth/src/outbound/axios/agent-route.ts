import { type AxiosAdapter } from 'axios';
import http from 'node:http';
import https from 'node:https';
import { type SentToken } from '../sent-token.js';

// The destinations of a service are fewer. A token source of the application may return a token for any origin.
const MAX_ORIGINS = 1_000;

/** For each adapter and origin: the function `http.request` or `https.request` that handed the last request to one of our agents. */
const knownFunctions = new WeakMap<AxiosAdapter, Map<string, object>>();
/** Functions that sent a request without an agent of ours, or with another `Authorization`, when it had no visible header. */
const functionsThatNeedHeader = new WeakSet<object>();

/**
 * Knows whether requests of the http adapter to an origin reach one of our agents. If the current `http.request` (or
 * `https.request`) handed the last request to such an agent, the next request needs no visible header, because the agent adds
 * the token. This saves the checks of a long header by axios and by Node.
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
    return this.#known.get(this.#origin) === this.#request && !functionsThatNeedHeader.has(this.#request);
  }

  /** Call it as soon as the adapter has been called: it calls an agent at once. */
  noteSent({ hasReachedAgent, isWithheld, isOverridden }: SentToken): void {
    if (isOverridden) functionsThatNeedHeader.add(this.#request);
    if (!hasReachedAgent || !isWithheld) return void this.#known.delete(this.#origin);
    if (this.#known.size >= MAX_ORIGINS) this.#known.clear();
    this.#known.set(this.#origin, this.#request);
  }

  /** Call it when there is a response. */
  noteAnswered({ hasReachedAgent, isWithheld }: SentToken): void {
    if (isWithheld && !hasReachedAgent) functionsThatNeedHeader.add(this.#request);
  }
}
