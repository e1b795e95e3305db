import { type Answer, jsonAnswer } from '../answer.js';
import { type Endpoint } from '../endpoint.js';

const GROUPS = ['authentication.k8s.io', 'authorization.k8s.io'];

/** The lists of API groups and resources. kubectl reads them before it sends other requests. */
export function apisEndpoints(): readonly Endpoint[] {
  const documents: readonly (readonly [RegExp, () => Answer])[] = [
    [/^\/api\/?$/, () => jsonAnswer(200, { kind: 'APIVersions', versions: ['v1'] })],
    [
      /^\/apis\/?$/,
      () => jsonAnswer(200, { kind: 'APIGroupList', apiVersion: 'v1', groups: GROUPS.map(toGroup) }),
    ],
    [/^\/api\/v1$/, () => resourceList('v1', coreResources())],
    [
      /^\/apis\/authentication\.k8s\.io\/v1$/,
      () => resourceList('authentication.k8s.io/v1', [review('tokenreviews', 'TokenReview')]),
    ],
    [
      /^\/apis\/authorization\.k8s\.io\/v1$/,
      () =>
        resourceList('authorization.k8s.io/v1', [
          review('selfsubjectaccessreviews', 'SelfSubjectAccessReview'),
        ]),
    ],
  ];
  return documents.map(([path, answer]) => ({
    name: 'apis',
    method: 'GET',
    path,
    access: 'authenticated',
    answer,
  }));
}

function toGroup(name: string): object {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(groupVersion: string, resources: readonly object[]): Answer {
  return jsonAnswer(200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources });
}

function coreResources(): readonly object[] {
  const verbs = ['create', 'delete', 'get', 'list'];
  const resource = (name: string, kind: string, shortName: string, namespaced: boolean) => ({
    name,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs,
    shortNames: [shortName],
  });
  return [
    resource('namespaces', 'Namespace', 'ns', false),
    resource('pods', 'Pod', 'po', true),
    resource('serviceaccounts', 'ServiceAccount', 'sa', true),
    {
      name: 'serviceaccounts/token',
      singularName: '',
      namespaced: true,
      group: 'authentication.k8s.io',
      version: 'v1',
      kind: 'TokenRequest',
      verbs: ['create'],
    },
  ];
}

function review(name: string, kind: string): object {
  return { name, singularName: kind.toLowerCase(), namespaced: false, kind, verbs: ['create'] };
}
