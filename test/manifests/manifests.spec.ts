import { describe, expect, it } from '@jest/globals';
import { optionsFromEnvironment } from '../../libs/k8s-auth/src/config/environment.js';
import { isRenderable, OVERLAYS, readSource, Rendered } from './rendered.fixture.js';

const NAMESPACE = 'mytest';
const CLUSTER_WIDE = ['Namespace', 'ClusterRole', 'ClusterRoleBinding'];
const APPLICATIONS = ['service1', 'service2'];

if (!isRenderable) {
  process.stderr.write('the manifests are not rendered: neither kubectl nor kustomize is installed\n');
}

(isRenderable ? describe : describe.skip).each(OVERLAYS)('k8s/overlays/%s', (overlay) => {
  const rendered = Rendered.overlay(overlay);
  const eachContainer = () => APPLICATIONS.map((name) => rendered.pod(name).containers[0]);

  it('uses only its own namespace, which enforces Pod Security', () => {
    const namespaced = rendered.manifests.filter(({ kind }) => !CLUSTER_WIDE.includes(kind));
    for (const { metadata } of namespaced) expect(metadata).toMatchObject({ namespace: NAMESPACE });
    expect(rendered.one('Namespace', NAMESPACE).metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
  });

  it('sets only variables and values that the library accepts', () => {
    for (const application of APPLICATIONS) {
      const { mistakes, unused } = optionsFromEnvironment(rendered.environment(application));
      expect({ mistakes, unused }).toEqual({ mistakes: [], unused: [] });
    }
  });

  it.each(APPLICATIONS)('sets no variable that %s does not read', (application) => {
    const source = readSource(`apps/${application}/src/${application}.config.ts`);
    const known = [...source.matchAll(/^ {2}([A-Z0-9_]+):/gm)].map(([, name]) => name);
    const { env = [] } = rendered.pod(application).containers[0];
    const values = env.map(({ value }) => value).join();
    const own = env
      .map(({ name }) => name)
      // Some are there for others to be made of.
      .filter((name) => !name.startsWith('K8S_AUTH_') && !values.includes(`$(${name})`));
    expect(known).toEqual(expect.arrayContaining(own));
  });

  it('chooses the verifier in its name', () => {
    const kind = overlay === 'production' ? 'oidc-discovery' : overlay;
    expect(rendered.environment('service2')).toMatchObject({ K8S_AUTH_VERIFIER: kind });
  });

  it('mounts a token for the audience of service2 at the path that service1 reads', () => {
    const { TARGET_URL: target = '', K8S_AUTH_DESTINATIONS: destinations } = rendered.environment('service1');
    const { volumes = [], containers } = rendered.pod('service1');
    const [token] = volumes.flatMap(({ projected }) => projected?.sources ?? []);
    expect(token?.serviceAccountToken).toMatchObject({
      audience: rendered.environment('service2')['K8S_AUTH_AUDIENCE'],
      expirationSeconds: 600,
    });
    const file = `${containers[0].volumeMounts?.[0]?.mountPath}/${token?.serviceAccountToken.path}`;
    expect(destinations).toBe(`${new URL(target).origin}=${file}`);
  });

  it('calls a Service that leads to the port where service2 listens', () => {
    const target = new URL(rendered.environment('service1')['TARGET_URL'] ?? '');
    expect(target.host).toBe(`service2.${NAMESPACE}.svc`);
    expect(rendered.one('Service', 'service2').spec.ports).toMatchObject([{ port: 80, targetPort: 'http' }]);
    for (const { name, ports } of eachContainer()) {
      const [, port] =
        /PORT: .*default\((\d+)\)/.exec(readSource(`apps/${name}/src/${name}.config.ts`)) ?? [];
      expect(ports).toMatchObject([{ containerPort: Number(port) }]);
    }
    const ingress = rendered.all('NetworkPolicy').flatMap(({ spec }) => spec.ingress ?? []);
    for (const { ports } of ingress) expect(ports).toMatchObject([{ port: 8080 }]);
  });

  it('probes paths that exist, at the port of the container', () => {
    for (const { name, ports, livenessProbe, readinessProbe } of eachContainer()) {
      const [port] = ports;
      expect(livenessProbe).toMatchObject({ httpGet: { path: '/livez', port: port?.name } });
      expect(readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: port?.name } });
      const source = readSource(`apps/${name}/src/health/health.controller.ts`);
      for (const path of ['livez', 'readyz']) expect(source).toContain(`@Get('${path}')`);
    }
  });

  it('runs the images with the restrictions of Pod Security and with resource limits', () => {
    for (const { name, image, imagePullPolicy, securityContext, resources } of eachContainer()) {
      expect({ image, imagePullPolicy }).toEqual({
        image: `nest-k8s-auth/${name}:dev`,
        imagePullPolicy: 'IfNotPresent',
      });
      expect(rendered.pod(name).securityContext).toEqual({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(Object.keys(resources)).toEqual(['limits', 'requests']);
    }
  });

  it('starts new pods before it stops old ones', () => {
    for (const name of APPLICATIONS) {
      expect(rendered.one('Deployment', name).spec.strategy).toMatchObject({
        // Without a type, every `kubectl apply` patches the object.
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: 0 },
      });
    }
    expect(rendered.pod('service2').containers[0].lifecycle).toMatchObject({
      preStop: { sleep: { seconds: 5 } },
    });
  });
});
