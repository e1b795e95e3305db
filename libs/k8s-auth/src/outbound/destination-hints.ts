import { isIP } from 'node:net';
import { type Clock } from '../util/clock.js';
import { type Log } from '../util/log.js';
import { parseHttpUrl } from './destinations.options.js';

// Limits the memory, because requests choose the origins.
const MAX_ORIGINS = 100;
/** A few calls may be a health check or an attempt. */
const CALLS_BEFORE_WARNING = 10;
const FIRST_PERIOD_MS = 600_000;

/** An origin that was called and is not a destination. */
interface UnlistedOrigin {
  readonly origin: string;
  /** The destination that it probably means. */
  readonly destination: string | undefined;
  calls: number;
  isWarned: boolean;
}

/**
 * Logs hints about the likeliest mistakes of a service that calls others: an origin that differs from the one in
 * `destinations`, and a destination that no request uses. A request to a listed destination never comes here.
 * @internal
 */
export class DestinationHints {
  private readonly unlisted = new Map<string, UnlistedOrigin>();

  /** @param destinations the origins that are listed */
  constructor(
    private readonly destinations: readonly string[],
    private readonly log: Log,
  ) {}

  /** Call this for each request to an origin that is not listed. */
  noteUnlistedCall(url: string): void {
    const unlisted = this.find(url);
    if (!unlisted) return;
    unlisted.calls++;
    const { origin, calls } = unlisted;
    if (calls === 1)
      this.log.log({ message: 'no token is attached: this origin is not among the destinations', origin });
    // On one machine, another port is usually another service.
    if (calls === CALLS_BEFORE_WARNING && !isMachine(origin)) this.warn(unlisted, { calls });
  }

  /** Call this if an origin that is not listed has answered 401. */
  noteUnauthorized(url: string): void {
    const unlisted = this.find(url);
    if (unlisted) this.warn(unlisted, { status: 401 });
  }

  /**
   * Warns 10 minutes from now about the destinations that were not used until then.
   * @returns a function that cancels the warning
   */
  warnOfUnused(clock: Clock, findUnused: () => readonly string[]): () => void {
    return clock.schedule(FIRST_PERIOD_MS, () => {
      const destinations = findUnused();
      if (destinations.length === 0) return;
      const message =
        'no request in the first 10 minutes has used these destinations: if this service calls them, check that the ' +
        'client is attached and that requests name exactly this scheme, host and port';
      this.log.warn({ message, destinations, calledWithoutToken: [...this.unlisted.keys()].slice(0, 10) });
    });
  }

  private find(url: string): UnlistedOrigin | undefined {
    const origin = parseHttpUrl(url)?.origin;
    if (origin === undefined || this.destinations.includes(origin)) return undefined;
    const known = this.unlisted.get(origin);
    if (known || this.unlisted.size >= MAX_ORIGINS) return known;
    const destination = this.destinations.find((listed) => isSimilarOrigin(origin, listed));
    const added: UnlistedOrigin = { origin, destination, calls: 0, isWarned: false };
    this.unlisted.set(origin, added);
    return added;
  }

  private warn(unlisted: UnlistedOrigin, evidence: { calls: number } | { status: number }): void {
    const { origin, destination, isWarned } = unlisted;
    if (isWarned || destination === undefined) return;
    unlisted.isWarned = true;
    const message =
      'no token is attached, but this origin seems to be a destination under another name: list it in destinations ' +
      'exactly as requests name it (scheme, host and port), or call the listed origin';
    this.log.warn({ message, origin, destination, ...evidence });
  }
}

/** Whether two origins may be the same service: the same host, or names of the same Service of Kubernetes. */
function isSimilarOrigin(one: string, other: string): boolean {
  const [host, otherHost] = [hostOf(one), hostOf(other)];
  if (host === otherHost) return true;
  const [service, otherService] = [serviceOf(host), serviceOf(otherHost)];
  if (!service || !otherService || service.name !== otherService.name) return false;
  // A name without a namespace means the namespace of the calling pod, which is not known here.
  return [service.namespace, otherService.namespace].includes(undefined)
    ? true
    : service.namespace === otherService.namespace;
}

/** `name`, `name.namespace`, `name.namespace.svc` or `name.namespace.svc.cluster.local`, with any domain of the cluster. */
function serviceOf(
  host: string,
): { readonly name: string; readonly namespace: string | undefined } | undefined {
  const [name = '', namespace, svc = 'svc'] = host.split('.');
  return isIP(host) === 0 && svc === 'svc' ? { name, namespace } : undefined;
}

function hostOf(origin: string): string {
  return new URL(origin).hostname.replace(/\.$/, '').replace(/^\[|\]$/g, '');
}

function isMachine(origin: string): boolean {
  const host = hostOf(origin);
  return host === 'localhost' || isIP(host) !== 0;
}
