import { type CallerConnection } from '../../verifiers/verifier.js';

/** What is used of Node's IncomingMessage, or of an exotic stand-in that may lack parts of it. */
export interface NodeRequest {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly headersDistinct?: Record<string, string[] | undefined>;
  readonly rawHeaders?: string[];
  /** Of HTTP/1 and HTTP/2: the request was given up by its caller. */
  readonly aborted?: boolean;
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly destroyed?: boolean };
}

/**
 * The request as Node made it: Express extends that object, Fastify wraps it as `raw`. What is remembered about a
 * request is remembered about this object, so that a middleware, a guard and a hook speak of the same one.
 * @returns `undefined` for what is no HTTP request
 * @internal
 */
export function nodeRequestOf(request: unknown): NodeRequest | undefined {
  // `raw` last: on Express it is nobody's, and a middleware may keep a raw body under that name.
  if (hasHeaders(request) && Array.isArray(request.rawHeaders)) return request;
  const raw = (request as { raw?: unknown } | undefined)?.raw;
  if (hasHeaders(raw)) return raw;
  return hasHeaders(request) ? request : undefined;
}

function hasHeaders(value: unknown): value is NodeRequest {
  if (typeof value !== 'object' || value === null) return false;
  const { headers } = value as { headers?: unknown };
  return typeof headers === 'object' && headers !== null;
}

/** Read when somebody asks: most requests are answered before. @internal */
export class RequestConnection implements CallerConnection {
  constructor(private readonly request: unknown) {}

  get address(): string {
    return nodeRequestOf(this.request)?.socket?.remoteAddress ?? '';
  }

  isClosed(): boolean {
    const node = nodeRequestOf(this.request);
    return node?.aborted === true || node?.socket?.destroyed === true;
  }
}
