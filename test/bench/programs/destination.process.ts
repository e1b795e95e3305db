/** A bare HTTP server that says whether a request carried a token. */
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { announce, answerParent } from '../support/program.js';

const answers = [false, true].map((hasToken) => JSON.stringify({ hasToken }));
const server = createServer({ keepAliveTimeout: 60_000 }, ({ headers }, response) => {
  const hasToken = headers.authorization?.startsWith('Bearer ') ?? false;
  response.setHeader('content-type', 'application/json').end(answers[Number(hasToken)]);
});
server.listen(0, '127.0.0.1', () => {
  answerParent();
  announce(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
