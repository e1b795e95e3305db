import * as z from 'zod';
import { parseUrl } from '../util/syntax.js';

/**
 * The address of the API server and the credential to call it with. If all fields are omitted, the first that exists
 * is used: the kubeconfigs named in `KUBECONFIG`, the pod's own ServiceAccount, `~/.kube/config`. Startup fails if none
 * is found.
 * @publicApi
 */
export interface ApiServerOptions {
  /**
   * `https` only, without user name, query or fragment; a path is kept (Rancher). If set, no kubeconfig is read.
   * Requires `tokenFile`, except for the pod's own API server (the address in `KUBERNETES_SERVICE_HOST` or the name
   * `kubernetes.default.svc`): for it, `caFile` and `tokenFile` default to the files of the pod's mount.
   */
  readonly url?: string;
  /**
   * PEM file of the CA, read again when it changes. Each certificate in it is a trust anchor, even an intermediate CA.
   * Without `url`: replaces the CA that was found.
   */
  readonly caFile?: string;
  /**
   * File with our own token: a JWT or any other form that the API server accepts. The token is never used more than
   * 60 s after it was last read, and is read again immediately after a 401.
   * Without `url`: replaces the credential that was found, even a client certificate.
   */
  readonly tokenFile?: string;
  /** A kubeconfig; needs the package `@kubernetes/client-node`. Cannot be combined with the other three options. */
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
      // Check this even if one of the options has another mistake, to report all mistakes in one error.
      when: ({ value }) => typeof value === 'object' && value !== null,
    },
  );

function isApiServerUrl(value: string): boolean {
  const url = /[?#\s]/.test(value) ? undefined : parseUrl(value);
  return url?.protocol === 'https:' && url.username === '' && url.password === '';
}

/** The environment variables that set these options, in the format of a verifier's definition. @internal */
export const apiServerVariables = [
  { option: 'apiServer.url', variable: 'K8S_AUTH_API_SERVER_URL', type: 'text' },
  { option: 'apiServer.caFile', variable: 'K8S_AUTH_API_SERVER_CA_FILE', type: 'text' },
  { option: 'apiServer.tokenFile', variable: 'K8S_AUTH_API_SERVER_TOKEN_FILE', type: 'text' },
] as const;
