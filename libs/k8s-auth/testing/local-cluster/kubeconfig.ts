import { parseServiceAccountPath } from '../../src/identity/names.js';
import { type KeyAndCertificate } from './certificates.js';
import { type ClusterFiles } from './cluster-files.js';
import { type ClusterServer } from './cluster-server.js';
import { type KubeconfigOptions } from './local-cluster.options.js';

interface KubeconfigSpec {
  readonly url: string;
  readonly ca: string;
  readonly user: { readonly token: string } | KeyAndCertificate;
  readonly namespace: string;
}

/** @throws {Error} the ServiceAccount does not exist */
export async function writeKubeconfig(
  { parts, authority }: ClusterServer,
  files: ClusterFiles,
  { serviceAccount }: KubeconfigOptions,
): Promise<string> {
  const common = { url: parts.url(), ca: authority.pem };
  if (serviceAccount === undefined) {
    const user = await authority.issue({
      subject: 'CN=kubernetes-admin, O=system:masters',
      usage: 'client',
    });
    return files.write('admin.kubeconfig', formatKubeconfig({ ...common, user, namespace: 'default' }));
  }
  const account = parseServiceAccountPath(serviceAccount);
  if (!account) throw new Error(`"${serviceAccount}" is not <namespace>/<name> of a ServiceAccount`);
  const { namespace, name } = account;
  const token = parts.tokens.issueBound({
    namespace,
    serviceAccount: name,
  });
  const file = `${namespace}.${name}.kubeconfig`;
  return files.write(file, formatKubeconfig({ ...common, user: { token }, namespace }));
}

/** A kubeconfig (client.config v1) with everything inside. JSON, which every YAML parser accepts. */
function formatKubeconfig({ url, ca, user, namespace }: KubeconfigSpec): string {
  const name = 'local';
  const credentials =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [{ name, user: credentials }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
