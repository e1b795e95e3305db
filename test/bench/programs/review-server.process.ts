/**
 * Answers every TokenReview as fast as Node can, so that the client's work is what is measured: it believes what the
 * token says. Serves TLS with the given key and certificate. Every other path is answered with 404.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo } from 'node:net';
import { announce, answerParent } from '../support/program.js';

interface TokenReview {
  readonly spec: { readonly token: string; readonly audiences: readonly string[] };
}

const [keyFile = '', certificateFile = ''] = process.argv.slice(2);
const tls = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };

function answerTo(body: string): string {
  const review = JSON.parse(body) as TokenReview;
  const { token, audiences } = review.spec;
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    readonly sub: string;
  };
  const [, , namespace = ''] = claims.sub.split(':');
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const user = { username: claims.sub, uid: 'u', groups };
  return JSON.stringify({ ...review, status: { authenticated: true, user, audiences } });
}

const server = createServer({ ...tls, keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.method !== 'POST' || !request.url?.endsWith('/tokenreviews')) {
    response.writeHead(404).end();
    return;
  }
  let body = '';
  request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    response.writeHead(201, { 'content-type': 'application/json' }).end(answerTo(body));
  });
});
server.listen(0, '127.0.0.1', () => {
  answerParent();
  announce(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
