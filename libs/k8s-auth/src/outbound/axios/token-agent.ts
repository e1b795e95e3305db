import { type Agent, type ClientRequest, type OutgoingHttpHeaders } from 'node:http';
import { type Duplex } from 'node:stream';
import { namesHostOf, parseHttpUrl } from '../destinations.options.js';
import { type SentToken } from './sent-token.js';

/** What node:http calls on an agent, and libraries of agents implement; its types leave it out. */
interface RequestAgent extends Agent {
  addRequest(request: ClientRequest, options: RequestTarget): void;
  readonly options?: RequestTarget;
}

/** Where a request goes. The options of an agent override those of the request. */
interface RequestTarget {
  readonly protocol?: string | null;
  readonly host?: string | null;
  readonly port?: number | string | null;
  readonly socketPath?: string;
  readonly headers?: OutgoingHttpHeaders;
}

/**
 * The given agent, for the requests of one try. The header with the token is taken off each request before anyone can
 * see it, and is written between the other headers on the network, if the request really goes to the token's origin:
 * so neither the request nor the response, their sockets, the agent or an error ever shows it.
 * @internal
 */
export function agentWithToken<T extends Agent>(agent: T, sent: SentToken): T {
  const { addRequest } = agent as unknown as Partial<RequestAgent>;
  // Node refuses it with an error of its own.
  if (typeof addRequest !== 'function') return agent;
  const addRequestWithToken: RequestAgent['addRequest'] = (request, options) => {
    moveToken(
      request,
      { ...options, ...(agent as unknown as RequestAgent).options, headers: options.headers },
      sent,
    );
    addRequest.call(agent, request, options);
  };
  return new Proxy(agent, {
    get: (target, key) => (key === 'addRequest' ? addRequestWithToken : Reflect.get(target, key)),
  });
}

function moveToken(request: ClientRequest, target: RequestTarget, sent: SentToken): void {
  if (request.getHeader('authorization') === sent.header) {
    removeHeader(request, target.headers);
    sent.isWithheld = true;
  }
  const mayGo =
    sent.mayGoTo(originOf(request, target, sent)) && namesHostOf(sent.origin, request.getHeader('host'));
  // A header that is still there was set for this hop by the caller.
  if (!mayGo || !sent.isWithheld || request.hasHeader('authorization')) return;
  request.once('socket', (socket) => rewriteNextHead(socket, (head) => addToken(head, sent)));
}

/** From the request, and from the headers that follow-redirects would send to the next hop. */
function removeHeader(request: ClientRequest, headers: OutgoingHttpHeaders = {}): void {
  for (const name of Object.keys(headers)) if (/^authorization$/i.test(name)) delete headers[name];
  // With "Expect: 100-continue" Node has rendered the head already. Libraries of proxy agents change it in this way.
  const rendered = request as unknown as { _header: string | null; outputData: { data: string }[] };
  const head = rendered._header;
  rendered._header = null;
  request.removeHeader('authorization');
  if (head === null) return;
  rendered._header = withoutAuthorization(head);
  for (const entry of rendered.outputData) entry.data = withoutAuthorization(entry.data);
}

function withoutAuthorization(head: string): string {
  return head.replace(/^authorization:.*\r\n/im, '');
}

/**
 * An agent may still have made a proxy's request of it, which names a whole URL (RFC 9112 §3.2.2): the proxy would read
 * the token. Only the caller's own `proxy` allows that.
 */
function addToken(head: string, { header, origin, usesProxy }: SentToken): string {
  const target = /^\S+ (\S+) /.exec(head)?.[1] ?? '';
  const isDirect = target.startsWith('/');
  const mayRead = isDirect || (usesProxy && parseHttpUrl(target)?.origin === origin);
  return mayRead ? head.replace('\r\n', () => `\r\nAuthorization: ${header}\r\n`) : head;
}

/** Node connects to the parts of a target. With a proxy set these are the proxy's, and the path is the whole URL. */
function originOf(
  request: ClientRequest,
  target: RequestTarget,
  { usesProxy }: SentToken,
): string | undefined {
  const { protocol, host, port, socketPath } = target;
  if (socketPath) return undefined;
  const proxied = usesProxy ? parseHttpUrl(request.path) : undefined;
  if (proxied) return proxied.origin;
  const name = host?.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return parseHttpUrl(`${protocol}//${name}${port ? `:${port}` : ''}`)?.origin;
}

type WriteCallback = (error?: Error | null) => void;

/**
 * Changes the head of the next request that is written to a socket, as it goes to the network. The head is not kept
 * anywhere before: neither in the buffer of a stream that is corked nor in a socket that still connects.
 *
 * node:http writes a head in one piece (at most with the beginning of the body), and a socket serves one request after
 * the other. `_write` and `_writev` are the methods that the Node documentation tells streams to implement; without
 * `_writev`, chunks come to `_write` one by one.
 * @internal
 */
export function rewriteNextHead(socket: Duplex, rewrite: (head: string) => string): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back onto the same socket
  const { _write, _writev } = socket;
  socket._writev = undefined;
  socket._write = (chunk: string | Buffer, encoding, callback) => {
    onceConnected(socket, callback, () => {
      Object.assign(socket, { _write, _writev });
      const rewritten =
        typeof chunk === 'string' ? rewrite(chunk) : Buffer.from(rewrite(chunk.toString('latin1')), 'latin1');
      socket._write(rewritten, encoding, callback);
    });
  };
}

function onceConnected(
  socket: Duplex & { connecting?: boolean },
  fail: WriteCallback,
  write: () => void,
): void {
  if (!socket.connecting) return write();
  const onClose = () => fail(new Error('the socket was closed before it was connected'));
  socket.once('close', onClose);
  socket.once('connect', () => {
    socket.removeListener('close', onClose);
    write();
  });
}
