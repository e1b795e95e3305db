import { describe, expect, it } from '@jest/globals';
import { codeBlocks } from '../docs/code-blocks.js';
import { isRenderable, Rendered } from './rendered.fixture.js';

const [moved, ownAudience, adapted, ...others] = codeBlocks('k8s/README.md', 'yaml').map((block) =>
  Rendered.users({ user: block.replace('kind: Kustomization\n', '').replaceAll('../k8s/', 'K8S/') }),
);

(isRenderable ? describe : describe.skip)('the kustomizations of k8s/README.md', () => {
  it('are the three that are checked here', () => {
    expect(others).toEqual([]);
  });

  it('move an installation to a namespace', () => {
    expect(moved?.all('Namespace').map(({ metadata }) => metadata.name)).toEqual(['shop']);
  });

  it('give an installation an audience of its own', () => {
    const { K8S_AUTH_AUDIENCE: audience } = ownAudience?.environment('service2') ?? {};
    expect(audience).toBe('service2.shop');
    const [token] =
      ownAudience?.pod('service1').volumes?.flatMap(({ projected }) => projected?.sources ?? []) ?? [];
    expect(token?.serviceAccountToken.audience).toBe(audience);
  });

  it('name the hosts that network policies let pods reach', () => {
    const to = (name: string) => adapted?.one('NetworkPolicy', name).spec.egress?.flatMap((rule) => rule.to);
    expect(to('api-server')).toEqual([{ ipBlock: { cidr: '192.0.2.1/32' } }]);
    expect(to('dns-only')).toEqual([
      expect.objectContaining({ podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }),
      { ipBlock: { cidr: '169.254.20.10/32' } },
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'openshift-dns' } } },
    ]);
  });
});
