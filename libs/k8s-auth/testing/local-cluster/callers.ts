import { type IncomingMessage } from 'node:http';
import { type TLSSocket } from 'node:tls';
import { badRequest, unauthorized } from './api-error.js';
import { ANONYMOUS, type Caller, certificateCaller } from './caller.js';
import { type TokenAuthenticator } from './token-authenticator.js';

/**
 * The caller by client certificate, then by bearer token for the API server's own audiences, else anonymous.
 * @throws {ApiError} 401: credentials were sent and none of them holds; 400: it wants to be somebody else
 */
export function authenticateCaller(request: IncomingMessage, authenticator: TokenAuthenticator): Caller {
  // Never silently as somebody else than was meant.
  if (request.headers['impersonate-user'] !== undefined) throw badRequest('impersonation is not supported');
  const socket = request.socket as TLSSocket;
  const certificate = socket.getPeerCertificate();
  // An object without members stands for no certificate.
  const hasCertificate = Object.keys(certificate ?? {}).length > 0;
  if (hasCertificate && socket.authorized) {
    const { CN, O } = certificate.subject;
    return certificateCaller([CN].flat()[0] ?? '', [O ?? []].flat());
  }
  const token = /^bearer (\S+)/i.exec(request.headers.authorization ?? '')?.[1];
  if (token !== undefined) {
    const verdict = authenticator.authenticate(token);
    if (verdict.authenticated) return verdict.user;
    throw unauthorized();
  }
  if (hasCertificate) throw unauthorized();
  return ANONYMOUS;
}
