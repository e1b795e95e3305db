import { describeError } from '../../src/util/log.js';
import { REQUEST_TIMEOUT_MS } from './doctor-context.js';

/** The answer to one request, or one sentence about why there is none. */
export type ProbeResult =
  | { readonly status: number; readonly failure?: undefined }
  | { readonly failure: string; readonly status?: undefined };

/**
 * Sends one GET request, and follows no redirect. It uses no proxy, whatever the environment says: no proxy may see a token.
 * @param token sent in the `Authorization` header, if it is given
 */
export async function probe(url: string, token?: string): Promise<ProbeResult> {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent();
  try {
    const { statusCode, body } = await request(url, {
      dispatcher,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    body.on('error', () => {}).destroy();
    return { status: statusCode };
  } catch (error) {
    return { failure: remedyOf(error, new URL(url)) };
  } finally {
    await dispatcher.destroy();
  }
}

function remedyOf(error: unknown, { origin, hostname }: URL): string {
  const { code } = error as { readonly code?: unknown };
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name ${hostname} is not known: check the name and the namespace of the Service (service.namespace.svc).`;
    case 'ECONNREFUSED':
      return `Nothing listens at ${origin}: check the port, and that the Service has ready pods (kubectl get endpointslices).`;
    default:
  }
  if (typeof code === 'string' && /CERT|SIGNATURE|ISSUER/.test(code))
    return `The certificate of ${origin} is not trusted: name its CA with NODE_EXTRA_CA_CERTS (${code}).`;
  if ((error as Error).name === 'TimeoutError')
    return `${origin} does not answer within ${REQUEST_TIMEOUT_MS} ms: check that NetworkPolicies allow the connection.`;
  return `${origin} cannot be called: ${describeError(error)}.`;
}
