export interface PodKubeconfigOptions {
  readonly url: string;
  readonly caFile: string;
  /** Read again by clients, so that a rotation of the token has an effect. */
  readonly tokenFile: string;
  readonly namespace: string;
}

/** A kubeconfig (client.config v1) of a pod's own credential. JSON, which every YAML parser accepts. */
export function formatPodKubeconfig({ url, caFile, tokenFile, namespace }: PodKubeconfigOptions): string {
  const name = 'pod';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name, user: { tokenFile } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
