import { type InternalAxiosRequestConfig } from 'axios';
import { type Agent, type ClientRequest, type OutgoingHttpHeaders } from 'node:http';
import { type Duplex } from 'node:stream';
import { namesHostOf, parseHttpUrl } from '../destinations.options.js';
import { isNamed } from '../carries-token.js';
import { type SentToken } from '../sent-token.js';

type AxiosHeaders = InternalAxiosRequestConfig['headers'];

/** The method that node:http calls on an agent, and that agent libraries implement. It is missing in the types of Node. */
interface RequestAgent extends Agent {
  addRequest(request: ClientRequest, options: RequestTarget): void;
  readonly options?: RequestTarget;
}

/** The target of a request. The options of an agent override the options of the request. */
interface RequestTarget {
  readonly protocol?: string | null;
  readonly host?: string | null;
  readonly port?: number | string | null;
  readonly socketPath?: string;
  readonly headers?: OutgoingHttpHeaders;
}

/**
 * Wraps an agent for the requests of one try. If a request has a header with the token, the wrapper removes it. It
 * adds the header when the head of the request is written to the socket, if the request goes to the token's origin. So the
 * request, the response, their sockets, the agent and errors never show the token.
 * @internal
 */
export function agentWithToken<T extends Agent>(agent: T, sent: SentToken): T {
  const { addRequest } = agent as unknown as Partial<RequestAgent>;
  // Not an agent: Node throws its own error.
  if (typeof addRequest !== 'function') return agent;
  const addRequestWithToken: RequestAgent['addRequest'] = (request, options) => {
    moveToken(request, options, (agent as unknown as RequestAgent).options ?? {}, sent);
    addRequest.call(agent, request, options);
  };
  return new Proxy(agent, {
    get: (target, key) => (key === 'addRequest' ? addRequestWithToken : Reflect.get(target, key)),
  });
}

function moveToken(
  request: ClientRequest,
  options: RequestTarget,
  agentOptions: RequestTarget,
  sent: SentToken,
): void {
  // On a later hop, a hook of the caller may have set it.
  if (sent.isWithheld && !sent.hasReachedAgent) sent.isOverridden = request.hasHeader('authorization');
  sent.hasReachedAgent = true;
  if (request.getHeader('authorization') === sent.header) {
    removeHeader(request, options.headers);
    sent.isWithheld = true;
  }
  const mayGo =
    sent.mayGoTo(originOf(request, options, agentOptions, sent)) &&
    namesHostOf(sent.origin, request.getHeader('host'));
  // A header that is still there was set by the caller for this hop.
  if (!mayGo || !sent.isWithheld || request.hasHeader('authorization')) return;
  request.on('socket', (socket) => rewriteNextHead(socket, (head) => addToken(head, sent)));
}

/** Removes the header from the request, and from the headers that follow-redirects would send with the next request. */
function removeHeader(request: ClientRequest, headers: OutgoingHttpHeaders = {}): void {
  for (const name of Object.keys(headers)) if (isNamed(name, 'authorization')) delete headers[name];
  // With "Expect: 100-continue" Node has already rendered the head. Proxy agent libraries change it in the same way.
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
 * Adds the token, unless the agent has changed the request into a request to a proxy, which has a complete URL as its
 * target (RFC 9112 §3.2.2): such a proxy could read the token. That is allowed only for the caller's own `proxy`.
 */
function addToken(head: string, { header, origin, usesProxy }: SentToken): string {
  const targetStart = head.indexOf(' ') + 1;
  const isDirect = head[targetStart] === '/';
  const target = () => head.slice(targetStart, head.indexOf(' ', targetStart));
  const mayRead = isDirect || (usesProxy && parseHttpUrl(target())?.origin === origin);
  const lineEnd = head.indexOf('\r\n');
  return mayRead ? `${head.slice(0, lineEnd)}\r\nAuthorization: ${header}${head.slice(lineEnd)}` : head;
}

/** The origin of a request. With a proxy, the target is that of the proxy, and the path is the complete URL. */
function originOf(
  request: ClientRequest,
  options: RequestTarget,
  agentOptions: RequestTarget,
  { usesProxy, origin }: SentToken,
): string | undefined {
  const optionOf = <K extends keyof RequestTarget>(name: K) =>
    (Object.hasOwn(agentOptions, name) ? agentOptions : options)[name];
  const [protocol, host, port, socketPath] = [
    optionOf('protocol'),
    optionOf('host'),
    optionOf('port'),
    optionOf('socketPath'),
  ];
  if (socketPath) return undefined;
  const proxied = usesProxy ? parseHttpUrl(request.path) : undefined;
  if (proxied) return proxied.origin;
  const name = host?.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const url = `${protocol}//${name}${port ? `:${port}` : ''}`;
  return url === origin ? origin : parseHttpUrl(url)?.origin;
}

/**
 * A copy of headers with the token, or without it. Not `concat` and `delete` of axios: they would check each value again,
 * and make all later accesses slow.
 * @param value the header, or `undefined` to remove the token
 * @internal
 */
export function withAuthorization(headers: AxiosHeaders, value?: string, token?: string): AxiosHeaders {
  const copy = Object.create(Object.getPrototypeOf(headers) as object) as typeof headers;
  for (const name of Object.keys(headers)) {
    const isReplaced =
      isNamed(name, 'authorization') && (token === undefined || String(headers[name]).includes(token));
    if (!isReplaced) copy[name] = headers[name] as string;
  }
  if (value !== undefined) copy['Authorization'] = value;
  return copy;
}

type WriteCallback = (error?: Error | null) => void;

/**
 * Changes the head of the next request at the moment when it is written to the network. The changed head is not stored
 * before: neither in the buffer of a corked stream nor in a socket that is still connecting.
 *
 * node:http writes a head in one chunk (perhaps with the start of the body), and a socket carries one request at a time.
 * `_write` and `_writev` are the methods that a stream implements according to the Node documentation. Without `_writev`,
 * each chunk is passed to `_write` separately.
 * @internal
 */
export function rewriteNextHead(socket: Duplex, rewrite: (head: string) => string): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- assigned to the same socket again
  const { _write, _writev } = socket;
  socket._writev = undefined;
  socket._write = (chunk: string | Buffer, encoding, callback) => {
    onceConnected(socket, callback, () => {
      socket._write = _write;
      socket._writev = _writev;
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
