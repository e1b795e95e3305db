import { type Duplex } from 'node:stream';

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
