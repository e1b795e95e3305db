import { type ExecutionContext } from '@nestjs/common';
import { bodyOf, messageException } from './exceptions.js';
import { hasMethods, NO_CONNECTION } from './shapes.js';
import { type Transport } from './transport.js';

/** The used part of the headers of a message of NATS. */
interface Headers {
  keys(): readonly string[];
  values(name: string): readonly string[];
  delete(name: string): void;
}

interface NatsContext {
  getHeaders(): Headers | undefined;
}

const contextOf = (context: ExecutionContext) => context.getArgByIndex<NatsContext>(1);

/** NATS distinguishes the case of header names, so that one message may have several forms of this name. */
function namesIn(headers: Headers | undefined): readonly string[] {
  return headers?.keys().filter((name) => name.toLowerCase() === 'authorization') ?? [];
}

/** Messages of NATS. The token is in the header `Authorization`, in any case. */
export const natsTransport: Transport = {
  name: 'nats',
  matches: (context) =>
    context.getType() === 'rpc' && hasMethods(contextOf(context), 'getHeaders', 'getSubject'),
  messageOf: contextOf,
  credentialsOf(context) {
    const headers = contextOf(context).getHeaders();
    return namesIn(headers).flatMap((name) => [...(headers?.values(name) ?? [])]);
  },
  removeCredentials(context) {
    const headers = contextOf(context).getHeaders();
    for (const name of namesIn(headers)) headers?.delete(name);
  },
  connectionOf: () => NO_CONNECTION,
  toError: (_, refusal) => messageException('rpc', bodyOf(refusal), refusal),
};
