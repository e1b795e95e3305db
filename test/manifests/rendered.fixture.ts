import { loadAllYaml } from '@kubernetes/client-node';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const OVERLAYS = readdirSync(join(ROOT, 'k8s/overlays'));

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly livenessProbe: object;
  readonly readinessProbe: object;
  readonly lifecycle?: object;
  readonly resources: object;
  readonly securityContext: object;
}

export interface Volume {
  readonly name: string;
  readonly projected?: { readonly sources: readonly { readonly serviceAccountToken: TokenSource }[] };
  readonly configMap?: { readonly name: string };
}

export interface TokenSource {
  readonly path: string;
  readonly audience: string;
  readonly expirationSeconds: number;
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly containers: readonly [Container];
  readonly volumes?: readonly Volume[];
}

/** Of any kind; the fields that a test reads are those of its kind. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: object };
  readonly spec: {
    readonly strategy: object;
    readonly template: { readonly spec: PodSpec };
    readonly ports: readonly { readonly port: number; readonly targetPort: string }[];
    readonly ingress?: readonly { readonly ports: readonly { readonly port: number }[] }[];
  };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly roleRef: { readonly name: string };
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

const RENDERERS = [
  ['kubectl', 'kustomize'],
  ['kustomize', 'build'],
] as const;
const renderer = RENDERERS.find(([program]) => spawnSync(program, ['--help']).status === 0);

export const isRenderable = renderer !== undefined;

/** What `kubectl apply -k` sends, as text. */
export function render(overlay: string): string {
  if (!renderer) throw new Error('neither kubectl nor kustomize is installed');
  const [program, command] = renderer;
  const { status, stdout, stderr } = spawnSync(program, [command, join(ROOT, 'k8s/overlays', overlay)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`overlay ${overlay} does not render: ${stderr}`);
  return stdout;
}

/** Rendered when it is first read: the body of a skipped `describe` is run too. */
export class Rendered {
  private found?: readonly Manifest[];

  constructor(private readonly overlay: string) {}

  get manifests(): readonly Manifest[] {
    this.found ??= loadAllYaml(render(this.overlay)) as Manifest[];
    return this.found;
  }

  all(kind: string): Manifest[] {
    return this.manifests.filter((manifest) => manifest.kind === kind);
  }

  one(kind: string, name: string): Manifest {
    const [found, ...others] = this.all(kind).filter(({ metadata }) => metadata.name === name);
    if (!found || others.length > 0) throw new Error(`expected exactly one ${kind} ${name}`);
    return found;
  }

  pod(name: string): PodSpec {
    return this.one('Deployment', name).spec.template.spec;
  }

  environment(name: string): Record<string, string> {
    const { env = [] } = this.pod(name).containers[0];
    return Object.fromEntries(env.map((variable) => [variable.name, variable.value]));
  }
}

export function readSource(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
