import { describe, expect, it } from '@jest/globals';
import { isRenderable, OVERLAYS, readSource, Rendered } from './rendered.fixture.js';

const CLUSTER_SCOPED = ['Namespace', 'ClusterRole', 'ClusterRoleBinding'];

/** The overlay as a user's base, and the same list of components as a kustomization of the user. */
const WAYS = {
  'on top of the overlay': (overlay: string) => `resources: [K8S/overlays/${overlay}]\n`,
  'made of the same components': (overlay: string) =>
    readSource(`k8s/overlays/${overlay}/kustomization.yaml`)
      .replace(/^(apiVersion|kind|namespace): .*\n/gm, '')
      .replaceAll('../../', 'K8S/')
      .replaceAll('../', 'K8S/overlays/'),
};

const CASES = OVERLAYS.flatMap((overlay) =>
  (Object.keys(WAYS) as (keyof typeof WAYS)[]).flatMap((way) =>
    [
      { prefix: '', suffix: '' },
      { prefix: 'my-', suffix: '-b' },
    ].map((names) => ({ overlay, way, ...names })),
  ),
);

function kustomization(namespace: string, { overlay, way, prefix, suffix }: (typeof CASES)[number]): string {
  const names = prefix === '' ? '' : `namePrefix: ${prefix}\nnameSuffix: ${suffix}\n`;
  return `namespace: ${namespace}\n${names}${WAYS[way](overlay)}`;
}

function clusterScopedNames(rendered: Rendered): string[] {
  return rendered.manifests
    .filter(({ kind }) => CLUSTER_SCOPED.includes(kind))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

/** jwt-pubkey does not call the API server; hybrid calls it for keys and for reviews. */
function numberOfBindings(overlay: string): number {
  return { 'jwt-pubkey': 0, hybrid: 2 }[overlay] ?? 1;
}

const AS_THEY_ARE = Object.fromEntries(OVERLAYS.map((overlay) => [overlay, Rendered.overlay(overlay)]));
const describeIfRenderable = isRenderable ? describe : describe.skip;

describeIfRenderable.each(CASES)('overlay of a user $way $overlay, names $prefix…$suffix', (given) => {
  const { overlay, prefix, suffix } = given;
  const files = { user: kustomization('shop', given) };
  const rendered = Rendered.users(files);
  const called = (name: string) => `${prefix}${name}${suffix}`;

  it('puts every object into its namespace', () => {
    expect(rendered.text).not.toContain('mytest');
    expect(rendered.all('Namespace').map(({ metadata }) => metadata.name)).toEqual(['shop']);
    for (const { kind, metadata } of rendered.manifests) {
      expect(metadata.namespace).toBe(CLUSTER_SCOPED.includes(kind) ? undefined : 'shop');
    }
  });

  it('binds the roles to the ServiceAccount that service2 runs as', () => {
    const bindings = rendered.all('ClusterRoleBinding');
    expect(bindings).toHaveLength(numberOfBindings(overlay));
    for (const { subjects, roleRef } of bindings) {
      expect(subjects).toEqual([
        { kind: 'ServiceAccount', name: rendered.pod('service2').serviceAccountName, namespace: 'shop' },
      ]);
      const own = rendered.all('ClusterRole').map(({ metadata }) => metadata.name);
      expect([...own, 'system:service-account-issuer-discovery']).toContain(roleRef.name);
    }
    const accounts = rendered.all('ServiceAccount').map(({ metadata }) => metadata.name);
    expect(accounts).toContain(called('service2'));
    expect(rendered.pod('service2').serviceAccountName).toBe(called('service2'));
    expect(rendered.pod('service1').serviceAccountName).toBe(
      overlay === 'production' ? called('service1') : 'default',
    );
  });

  it('lets service1 call service2, and sends the token there', () => {
    const { metadata } = rendered.one('Service', called('service2'));
    const origin = `http://${metadata.name}.${metadata.namespace}.svc`;
    expect(rendered.environment('service1')).toMatchObject({
      TARGET_URL: origin,
      K8S_AUTH_DESTINATIONS: `${origin}=/var/run/secrets/tokens/service2`,
    });
  });

  it('allows administrators of its own namespace only', () => {
    expect(rendered.environment('service2')).toMatchObject({ SERVICE2_ADMINS: 'shop/admin' });
  });

  it('scales the existing Deployment', () => {
    for (const { spec } of rendered.all('HorizontalPodAutoscaler')) {
      expect(spec.scaleTargetRef.name).toBe(rendered.deployment('service2').metadata.name);
    }
  });

  it('shares no cluster-scoped object with an installation in another namespace', () => {
    const other = Rendered.users({ user: kustomization('market', given) });
    const names = [rendered, other, AS_THEY_ARE[overlay] ?? other].flatMap(clusterScopedNames);
    expect(names.length).toBeGreaterThanOrEqual(3);
    expect(new Set(names).size).toBe(names.length);
  });

  it('renders the same each time', () => {
    // kustomize processes objects in random order.
    expect(Rendered.users(files).text).toBe(rendered.text);
  });
});

describeIfRenderable.each(OVERLAYS)('two installations of %s in one kustomization', (overlay) => {
  it('share no object when each has a prefix', () => {
    const installation = (namespace: string) =>
      `namespace: ${namespace}\nnamePrefix: ${namespace}-\nresources: [K8S/overlays/${overlay}]\n`;
    const { manifests } = Rendered.users({
      both: 'resources: [../shop, ../market]\n',
      shop: installation('shop'),
      market: installation('market'),
    });
    const ids = manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`);
    expect(new Set(ids).size).toBe(ids.length);
    const subjects = manifests
      .filter(({ kind }) => kind === 'ClusterRoleBinding')
      .flatMap((binding) => binding.subjects.map(({ namespace }) => namespace));
    const each = ['market', 'shop'].flatMap((namespace) =>
      Array.from({ length: numberOfBindings(overlay) }, () => namespace),
    );
    expect(subjects.sort()).toEqual(each);
  });
});
