import { type Agent } from 'undici';

/**
 * A dispatcher for requests with a token through fetch. The global one shares its connections with all code in the
 * process, and may send requests to the proxy that the environment names.
 * @internal
 */
export class OwnDispatcher {
  #dispatcher?: Promise<Agent>;

  /** Imports undici with the first request: the import takes as long as that of all other dependencies. */
  get(): Promise<Agent> {
    this.#dispatcher ??= import('undici').then(({ Agent }) => new Agent());
    return this.#dispatcher;
  }
}
