import { type InternalAxiosRequestConfig } from 'axios';
import { parseHttpUrl } from '../origin.js';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;
/** What follow-redirects is about to send: the options of node:http's request, and the URL they were made of. */
type Hop = Readonly<Record<string, unknown>>;

/**
 * Keeps the token of one request on its origin, whatever follow-redirects (it lets subdomains have it), axios or the
 * caller's own hook would do. Once a hop has left the origin there is no way back: whoever redirected us there chose
 * the way (RFC 9700 §4.12). The fetch adapter knows no hook; the Fetch standard has the same rule built in.
 * @internal
 */
export class RedirectGuard {
  /** A hop went to another origin. */
  hasLeftOrigin = false;

  private readonly callers?: BeforeRedirect;
  private readonly usesProxy: boolean;

  constructor(
    private readonly origin: string,
    private readonly token: string,
    config: InternalAxiosRequestConfig,
  ) {
    this.callers = config.beforeRedirect;
    this.usesProxy = Boolean(config.proxy);
  }

  readonly beforeRedirect: BeforeRedirect = (hop, response, request) => {
    this.hasLeftOrigin ||= this.leaves(hop);
    if (this.hasLeftOrigin) {
      this.dropToken(hop.headers);
      // The hook gets the last request's headers too, and copying them over is a known recipe.
      this.dropToken(request.headers);
    }
    this.callers?.(hop, response, request);
    this.hasLeftOrigin ||= this.leaves(hop);
    if (this.hasLeftOrigin) this.dropToken(hop.headers);
  };

  /** Under whatever name it stands there: `Authorization` in the spelling of this hop, or what a hook made of it. */
  private dropToken(headers: unknown): void {
    if (typeof headers !== 'object' || headers === null) return;
    for (const [name, value] of Object.entries(headers)) {
      if (String(value).includes(this.token)) Reflect.deleteProperty(headers, name);
    }
  }

  /** Node connects to the parts, not to `href`; with a proxy the parts are the proxy's. */
  private leaves(hop: Hop): boolean {
    if (parseHttpUrl(String(hop['href']))?.origin !== this.origin) return true;
    return !this.usesProxy && originOfParts(hop) !== this.origin;
  }
}

function originOfParts({ protocol, hostname, host, port }: Hop): string | undefined {
  const name = String(hostname || host);
  const bracketed = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
  return parseHttpUrl(`${String(protocol)}//${bracketed}${port ? `:${port as number}` : ''}`)?.origin;
}
