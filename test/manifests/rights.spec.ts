import { describe, expect, it } from '@jest/globals';
import { isRenderable, type Manifest, OVERLAYS, readSource, Rendered } from './rendered.fixture.js';

// Kubernetes creates it itself (plugin/pkg/auth/authorizer/rbac/bootstrappolicy); no overlay renders it.
const DISCOVERY = {
  name: 'system:service-account-issuer-discovery',
  rights: '`get` `/.well-known/openid-configuration` and `/openid/v1/jwks`',
};

/** The rows of "Rights", without the first column and its overlay: one for each binding, or an empty one. */
function tableOf(overlay: string): string[][] {
  const [, section = ''] = readSource('k8s/README.md').split('## Rights');
  const rows = section.split('\n## ')[0]?.split('\n') ?? [];
  return rows
    .filter((line) => line.startsWith(`| \`${overlay}\` `))
    .map((row) =>
      row
        .split('|')
        .slice(2, -1)
        .map((cell) => cell.trim()),
    );
}

function rightsOf(rendered: Rendered): string[][] {
  const rights = rendered.all('ClusterRoleBinding').map((binding) => rightsBy(binding, rendered));
  return rights.length > 0 ? rights : [['', '', '', '']];
}

function rightsBy(binding: Manifest, rendered: Rendered): string[] {
  const [subject] = binding.subjects;
  expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: subject?.name, namespace: 'mytest' }]);
  const role = binding.roleRef.name;
  return [subject?.name ?? '', role, binding.metadata.name]
    .map((name) => `\`${name}\``)
    .concat(role === DISCOVERY.name ? DISCOVERY.rights : rulesOf(rendered, role));
}

function rulesOf(rendered: Rendered, role: string): string {
  const { rules = [] } = rendered.one('ClusterRole', role);
  return rules
    .map(
      ({ apiGroups, resources, verbs }) => `\`${verbs.join()}\` \`${resources.join()}.${apiGroups.join()}\``,
    )
    .join(', ');
}

(isRenderable ? describe : describe.skip).each(OVERLAYS)('rights of k8s/overlays/%s', (overlay) => {
  const rendered = Rendered.overlay(overlay);

  it('are those of the table in k8s/README.md, and no others', () => {
    expect(tableOf(overlay)).toEqual(rightsOf(rendered));
    expect(rendered.all('Role').concat(rendered.all('RoleBinding'))).toEqual([]);
  });

  it('are none for service1, whichever ServiceAccount it has', () => {
    const { serviceAccountName } = rendered.pod('service1');
    const subjects = rendered.all('ClusterRoleBinding').flatMap((binding) => binding.subjects);
    expect(subjects.map(({ name }) => name)).not.toContain(serviceAccountName);
    const accounts = rendered.all('ServiceAccount').map(({ metadata }) => metadata.name);
    expect([...accounts, 'default']).toContain(serviceAccountName);
  });

  it('have no role without a binding', () => {
    const bound = rendered.all('ClusterRoleBinding').map(({ roleRef }) => roleRef.name);
    for (const { metadata } of rendered.all('ClusterRole')) expect(bound).toContain(metadata.name);
  });

  it('come with a token for the API server only if it is called', () => {
    expect(rendered.pod('service1')).toMatchObject({
      serviceAccountName: overlay === 'production' ? 'service1' : 'default',
      automountServiceAccountToken: false,
    });
    expect(rendered.pod('service2')).toMatchObject({
      serviceAccountName: 'service2',
      automountServiceAccountToken: overlay !== 'jwt-pubkey',
    });
  });
});
