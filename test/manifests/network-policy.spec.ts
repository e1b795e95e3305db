import { describe, expect, it } from '@jest/globals';
import { type EgressRule, isRenderable, OVERLAYS, type PodTemplate, Rendered } from './rendered.fixture.js';

const DNS_PORTS = ['TCP 53', 'TCP 5353', 'UDP 53', 'UDP 5353'];
const API_SERVER_PORTS = ['TCP 443', 'TCP 6443', 'TCP 6444', 'TCP 8443', 'TCP 16443'];
const KUBE_DNS = [
  {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
    podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
  },
];

/** `production` has the policies; for the other overlays, a user adds them with one line. */
const CASES = OVERLAYS.map((overlay) => ({
  overlay,
  rendered:
    overlay === 'production'
      ? Rendered.overlay(overlay)
      : Rendered.users({
          user: `namespace: mytest\nresources: [K8S/overlays/${overlay}]\ncomponents: [K8S/components/network-policy]\n`,
        }),
}));

(isRenderable ? describe : describe.skip).each(CASES)('network policies beside $overlay', ({ rendered }) => {
  function policiesOf(template: PodTemplate) {
    return rendered.all('NetworkPolicy').filter(({ spec }) => {
      const wanted = Object.entries(spec.podSelector.matchLabels ?? {});
      return wanted.every(([name, value]) => template.metadata.labels[name] === value);
    });
  }
  const egressOf = (application: string) =>
    policiesOf(rendered.deployment(application).spec.template).flatMap(({ spec }) => spec.egress ?? []);
  const portsOf = (egress: readonly EgressRule[]) =>
    egress
      .flatMap(({ ports }) => ports)
      .map(({ protocol, port }) => `${protocol} ${port}`)
      .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));

  it('let every pod of the namespace reach the DNS of the cluster, and no other resolver', () => {
    const [policy] = rendered.all('NetworkPolicy').filter(({ metadata }) => metadata.name === 'dns-only');
    expect(policy?.spec).toMatchObject({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    expect(policy?.spec.egress?.map(({ to }) => to)).toEqual([KUBE_DNS]);
    expect(portsOf(policy?.spec.egress ?? []).sort()).toEqual(DNS_PORTS);
    expect(policy?.spec.ingress).toBeUndefined();
  });

  it.each(['service1', 'service2'])('let %s reach the API server only if it has a token for it', (name) => {
    const unlimited = egressOf(name).filter(({ to }) => to === undefined);
    const asks = rendered.pod(name).automountServiceAccountToken;
    expect(portsOf(unlimited)).toEqual(asks ? API_SERVER_PORTS : []);
  });

  it('let service1 reach service2, and service2 nothing else', () => {
    const to = (name: string) => ({ podSelector: { matchLabels: { 'app.kubernetes.io/name': name } } });
    const pods = (name: string) =>
      egressOf(name)
        .flatMap((rule) => rule.to ?? [])
        .filter((peer) => !('namespaceSelector' in peer));
    expect(pods('service1')).toEqual([to('service2')]);
    expect(pods('service2')).toEqual([]);
  });
});
