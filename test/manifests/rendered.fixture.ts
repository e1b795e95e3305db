import { loadAllYaml } from '@kubernetes/client-node';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const OVERLAYS = readdirSync(join(ROOT, 'k8s/overlays'));

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly env?: readonly EnvironmentVariable[];
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

type StringMap = Readonly<Record<string, string>>;

export interface PodTemplate {
  readonly metadata: { readonly labels: StringMap; readonly annotations?: StringMap };
  readonly spec: PodSpec;
}

export interface EgressRule {
  readonly to?: readonly object[];
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}

/** An object of any kind, with the fields that tests read. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: StringMap };
  readonly spec: {
    readonly strategy: object;
    readonly template: PodTemplate;
    readonly ports: readonly { readonly port: number; readonly targetPort: string }[];
    readonly podSelector: { readonly matchLabels?: StringMap };
    readonly ingress?: readonly { readonly ports: readonly { readonly port: number }[] }[];
    readonly egress?: readonly EgressRule[];
    readonly scaleTargetRef: { readonly name: string };
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

/** What `kubectl apply -k` sends for a folder, as text. */
function renderFolder(folder: string): string {
  if (!renderer) throw new Error('neither kubectl nor kustomize is installed');
  const [program, command] = renderer;
  const { status, stdout, stderr } = spawnSync(program, [command, folder], { encoding: 'utf8' });
  // A warning counts as a failure: kustomize warns about features that it will remove.
  if (status !== 0 || stderr !== '') throw new Error(`${folder} does not render: ${stderr}`);
  return stdout;
}

export function render(overlay: string): string {
  return renderFolder(join(ROOT, 'k8s/overlays', overlay));
}

/**
 * Renders a kustomization of a user.
 * @param kustomizations file by folder, the first is rendered; `K8S/` in them is the repository's folder `k8s`
 */
function renderUsers(kustomizations: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'overlay-'));
  try {
    for (const [folder, text] of Object.entries(kustomizations)) {
      const file = join(root, folder, 'kustomization.yaml');
      mkdirSync(dirname(file), { recursive: true });
      const k8s = relative(dirname(file), join(ROOT, 'k8s'));
      writeFileSync(file, `kind: Kustomization\n${text.replaceAll('K8S/', `${k8s}/`)}`);
    }
    return renderFolder(join(root, Object.keys(kustomizations)[0] ?? ''));
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Rendered on first use, because the body of a skipped `describe` also runs. */
export class Rendered {
  private rendered?: string;
  private found?: readonly Manifest[];

  private constructor(private readonly source: () => string) {}

  static overlay(name: string): Rendered {
    return new Rendered(() => render(name));
  }

  static users(kustomizations: Parameters<typeof renderUsers>[0]): Rendered {
    return new Rendered(() => renderUsers(kustomizations));
  }

  get text(): string {
    return (this.rendered ??= this.source());
  }

  get manifests(): readonly Manifest[] {
    return (this.found ??= loadAllYaml(this.text) as Manifest[]);
  }

  all(kind: string): Manifest[] {
    return this.manifests.filter((manifest) => manifest.kind === kind);
  }

  one(kind: string, name: string): Manifest {
    const [found, ...others] = this.all(kind).filter(({ metadata }) => metadata.name === name);
    if (!found || others.length > 0) throw new Error(`expected exactly one ${kind} ${name}`);
    return found;
  }

  /** The Deployment of service1 or service2, whatever its name. */
  deployment(application: string): Manifest {
    const [found, ...others] = this.all('Deployment').filter(
      ({ spec }) => spec.template.metadata.labels['app.kubernetes.io/name'] === application,
    );
    if (!found || others.length > 0) throw new Error(`expected exactly one Deployment of ${application}`);
    return found;
  }

  pod(application: string): PodSpec {
    return this.deployment(application).spec.template.spec;
  }

  /**
   * The environment of the process, computed like the kubelet: from fields of the pod, and with `$(…)` of earlier
   * variables.
   */
  environment(application: string): Record<string, string> {
    const { metadata, spec } = this.deployment(application);
    const { annotations = {} } = spec.template.metadata;
    const found: Record<string, string> = {};
    for (const { name, value = '', valueFrom } of this.pod(application).containers[0].env ?? []) {
      const path = valueFrom?.fieldRef.fieldPath;
      const [, annotation] = /^metadata\.annotations\['(.+)'\]$/.exec(path ?? '') ?? [];
      if (path === 'metadata.namespace') found[name] = metadata.namespace ?? '';
      else if (annotation !== undefined) found[name] = annotations[annotation] ?? '';
      else found[name] = value.replace(/\$\((\w+)\)/g, (whole, variable: string) => found[variable] ?? whole);
    }
    return found;
  }
}

export function readSource(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
