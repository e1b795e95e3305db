import { type Clock } from '../../src/util/clock.js';
import { ApiError } from './api-error.js';
import { type ClusterObject, ObjectStore } from './object-store.js';

export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount?: string;
  readonly node?: string;
}

const DEFAULT_NODE = 'local-node';

/** The objects of the cluster, and the rules between them: a default ServiceAccount per namespace, no orphans. */
export class ClusterState {
  readonly namespaces: ObjectStore;
  readonly serviceAccounts: ObjectStore;
  readonly pods: ObjectStore;
  readonly secrets: ObjectStore;
  readonly nodes: ObjectStore;

  constructor(clock: Clock) {
    this.namespaces = new ObjectStore('Namespace', 'namespaces', clock);
    this.serviceAccounts = new ObjectStore('ServiceAccount', 'serviceaccounts', clock);
    this.pods = new ObjectStore('Pod', 'pods', clock);
    this.secrets = new ObjectStore('Secret', 'secrets', clock);
    this.nodes = new ObjectStore('Node', 'nodes', clock);
    for (const name of ['default', 'kube-system', 'kube-public']) this.createNamespace(name);
  }

  createNamespace(name: string): ClusterObject {
    const namespace = this.namespaces.create({ name });
    this.serviceAccounts.create({ name: 'default', namespace: name });
    return namespace;
  }

  deleteNamespace(name: string): ClusterObject {
    const namespace = this.namespaces.delete(name);
    for (const store of [this.serviceAccounts, this.pods, this.secrets]) store.deleteAll(name);
    return namespace;
  }

  createServiceAccount(namespace: string, name: string): ClusterObject {
    this.namespaces.get(namespace);
    return this.serviceAccounts.create({ name, namespace });
  }

  /** The existing ServiceAccount or a new one. Creates the namespace if it is missing. */
  ensureServiceAccount(namespace: string, name: string): ClusterObject {
    this.ensureNamespace(namespace);
    return this.serviceAccounts.find(name, namespace) ?? this.createServiceAccount(namespace, name);
  }

  /** Also deletes its token Secrets, as the token controller does. */
  deleteServiceAccount(namespace: string, name: string): ClusterObject {
    const serviceAccount = this.serviceAccounts.delete(name, namespace);
    for (const { metadata, spec } of this.secrets.list(namespace)) {
      if (spec?.serviceAccountName === name) this.secrets.delete(metadata.name, namespace);
    }
    return serviceAccount;
  }

  /** @throws {ApiError} 403 when its ServiceAccount does not exist, as the admission plugin does */
  createPod({ namespace, name, serviceAccount = 'default', node }: PodSpec): ClusterObject {
    this.namespaces.get(namespace);
    if (!this.serviceAccounts.find(serviceAccount, namespace)) {
      const problem = `error looking up service account ${namespace}/${serviceAccount}: serviceaccount "${serviceAccount}" not found`;
      const details = { name, kind: 'pods' };
      throw new ApiError(403, 'Forbidden', `pods "${name}" is forbidden: ${problem}`, details);
    }
    const spec = { serviceAccountName: serviceAccount, ...(node !== undefined && { nodeName: node }) };
    return this.pods.create({ name, namespace, spec });
  }

  /** Creates a scheduled pod on an existing node. Creates the namespace if it is missing. */
  runPod(pod: PodSpec): ClusterObject {
    const { namespace, node = DEFAULT_NODE } = pod;
    this.ensureNamespace(namespace);
    const created = this.createPod({ ...pod, node });
    if (!this.nodes.find(node)) this.nodes.create({ name: node });
    return created;
  }

  private ensureNamespace(name: string): void {
    if (!this.namespaces.find(name)) this.createNamespace(name);
  }
}
