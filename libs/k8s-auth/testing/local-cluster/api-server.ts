import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Answer } from './answer.js';
import { ApiError, attempt, methodNotAllowed, tooLarge, unknownPath } from './api-error.js';
import { type Caller, isAdministrator, isAuthenticated } from './caller.js';
import { authenticateCaller } from './callers.js';
import { type ClusterParts, type Endpoint, type PathParams } from './endpoint.js';
import { deliver } from './fault-delivery.js';
import { type Faults } from './faults.js';
import { forbidden } from './request-info.js';
import { type RequestLog } from './request-log.js';

export interface ApiServerOptions {
  readonly parts: ClusterParts;
  readonly endpoints: readonly Endpoint[];
  readonly faults: Faults;
  readonly log: RequestLog;
}

interface Match {
  readonly endpoint: Endpoint;
  readonly params: PathParams;
}

// The API server's own limit for a request's body (MaxRequestBodyBytes).
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** Handles one request in the API server's stages: authentication, authorization, answer, and the configured fault. */
export class ApiServer {
  constructor(private readonly options: ApiServerOptions) {}

  async handle(request: IncomingMessage, response: ServerResponse, reset: () => void): Promise<void> {
    const { parts, faults, log } = this.options;
    const body = await readBody(request);
    if (body === undefined) return;
    const { method = '', url = '' } = request;
    const { pathname, searchParams } = new URL(url, parts.url());
    const match = this.match(method, pathname);
    const caller = attempt(() => authenticateCaller(request, parts.authenticator));
    const entry = log.add({
      method,
      path: pathname,
      endpoint: match instanceof ApiError ? undefined : match.endpoint.name,
      user: caller instanceof ApiError ? undefined : caller.username,
      at: parts.clock.wallMs(),
    });
    response.once('finish', () => log.answered(entry, response.statusCode));
    const honest = () =>
      answerOf(() => {
        if (caller instanceof ApiError) throw caller;
        if (body instanceof ApiError) throw body;
        const { endpoint, params } = this.authorize(caller, method, pathname, match);
        const { headers } = request;
        return endpoint.answer({ caller, params, query: searchParams, headers, body });
      });
    deliver(faults.take(entry.endpoint), { response, honest, clock: parts.clock, reset });
  }

  private match(method: string, path: string): Match | ApiError {
    const candidates = this.options.endpoints.flatMap((endpoint) => {
      const found = endpoint.path.exec(path);
      return found ? [{ endpoint, params: { name: '', namespace: '', ...found.groups } }] : [];
    });
    if (candidates.length === 0) return unknownPath(path);
    return candidates.find(({ endpoint }) => endpoint.method === method) ?? methodNotAllowed();
  }

  /**
   * Authorization runs before the path is looked up: an unknown path is 404 for administrators and 403 for all
   * others.
   */
  private authorize(caller: Caller, method: string, path: string, match: Match | ApiError): Match {
    const access = match instanceof ApiError ? 'administrators' : match.endpoint.access;
    if (!this.mayAsk(caller, access)) throw forbidden(caller, method, path);
    if (match instanceof ApiError) throw match;
    return match;
  }

  private mayAsk(caller: Caller, access: Endpoint['access']): boolean {
    if (access === 'everyone' || isAdministrator(caller)) return true;
    if (access === 'administrators') return false;
    return access === 'authenticated'
      ? isAuthenticated(caller)
      : this.options.parts.rights.allows(access, caller);
  }
}

function answerOf(action: () => Answer): Answer {
  const answer = attempt(action);
  return answer instanceof ApiError ? answer.toAnswer() : answer;
}

/** @returns `undefined` when the client has disconnected, so no answer is needed */
async function readBody(request: IncomingMessage): Promise<Buffer | ApiError | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      // Reads the rest and discards it, because a client that is still sending would not see the answer.
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return length <= MAX_BODY_BYTES ? Buffer.concat(chunks) : tooLarge(MAX_BODY_BYTES);
}
