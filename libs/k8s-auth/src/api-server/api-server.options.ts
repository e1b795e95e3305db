import { z } from 'zod';
import { parseUrl } from '../util/syntax.js';

/**
 * Where the API server is and as whom to call it. All omitted: the first found of the kubeconfigs that the variable
 * `KUBECONFIG` names, the pod's own ServiceAccount, and `~/.kube/config`. Startup fails if none is found.
 * @publicApi
 */
export interface ApiServerOptions {
  /**
   * `https` only, without user name, query or fragment; a path is kept (Rancher). Then nothing else is looked for.
   * Needs `tokenFile` beside it; only for the pod's own API server, by the address of `KUBERNETES_SERVICE_HOST` or the
   * name `kubernetes.default.svc`, the pod's mount fills a missing `caFile` or `tokenFile`.
   */
  readonly url?: string;
  /**
   * PEM file of the CA, read again when it changes. Each certificate in it is a trust anchor, an intermediate CA too.
   * Without `url`: in place of the CA of what was found.
   */
  readonly caFile?: string;
  /**
   * File of the own token, a JWT or any other form that the API server accepts; never used more than 60 s after it was
   * last read, and read at once after a 401.
   * Without `url`: in place of the credential of what was found, a client certificate included.
   */
  readonly tokenFile?: string;
  /** A kubeconfig; needs the package `@kubernetes/client-node`. Excludes the other three. */
  readonly kubeconfigFile?: string;
}

const path = z.string().min(1, 'expected a path, not an empty one');

/** @internal */
export const apiServerOptionsSchema: z.ZodType<ApiServerOptions> = z
  .strictObject({
    url: z.string().refine(isApiServerUrl, 'expected an https URL without user name, query or fragment'),
    caFile: path,
    tokenFile: path,
    kubeconfigFile: path,
  })
  .partial()
  .refine(
    ({ url, caFile, tokenFile, kubeconfigFile }) =>
      kubeconfigFile === undefined || (url ?? caFile ?? tokenFile) === undefined,
    {
      path: ['kubeconfigFile'],
      message: "expected alone, without 'url', 'caFile' or 'tokenFile'",
      // Also where one of them has a mistake of its own: all are told at once.
      when: ({ value }) => typeof value === 'object' && value !== null,
    },
  );

function isApiServerUrl(value: string): boolean {
  const url = /[?#\s]/.test(value) ? undefined : parseUrl(value);
  return url?.protocol === 'https:' && url.username === '' && url.password === '';
}

/** The environment variables that fill these options, in the form of a verifier's definition. @internal */
export const apiServerVariables = [
  { option: 'apiServer.url', variable: 'K8S_AUTH_API_SERVER_URL', type: 'text' },
  { option: 'apiServer.caFile', variable: 'K8S_AUTH_API_SERVER_CA_FILE', type: 'text' },
  { option: 'apiServer.tokenFile', variable: 'K8S_AUTH_API_SERVER_TOKEN_FILE', type: 'text' },
] as const;
