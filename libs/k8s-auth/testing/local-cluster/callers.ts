import { type IncomingMessage } from 'node:http';
import { type TLSSocket } from 'node:tls';
import { badRequest, unauthorized } from './api-error.js';
import { ANONYMOUS, type Caller, certificateCaller } from './caller.js';
import { type TokenAuthenticator } from './token-authenticator.js';

/**
 * Identifies the caller by client certificate, then by a bearer token for the API server's own audiences; otherwise the
 * caller is anonymous.
 * @throws {ApiError} 401: credentials were sent, but none of them is valid; 400: the request asks for impersonation
 */
export function authenticateCaller(request: IncomingMessage, authenticator: TokenAuthenticator): Caller {
  // Rejected, because handling it without impersonation would use another user than the client expects.
  if (request.headers['impersonate-user'] !== undefined) throw badRequest('impersonation is not supported');
  const socket = request.socket as TLSSocket;
  const certificate = socket.getPeerCertificate();
  // Node returns an empty object if there is no certificate.
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
