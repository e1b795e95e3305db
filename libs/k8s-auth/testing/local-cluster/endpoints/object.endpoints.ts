import { isNamespaceName, isServiceAccountName } from '../../../src/identity/names.js';
import { jsonAnswer } from '../answer.js';
import { badRequest, invalid } from '../api-error.js';
import { type ApiRequest, type Endpoint, type EndpointName } from '../endpoint.js';
import { type JsonObject } from '../jws.js';
import { type ClusterObject, type ObjectStore } from '../object-store.js';
import { objectMember, readObject, stringMember } from '../request-body.js';

/** An object as the client sends it to create it. */
export interface ObjectDescription {
  readonly name: string;
  readonly namespace: string;
  readonly spec: JsonObject;
}

export interface ObjectResource {
  readonly name: EndpointName & ('namespaces' | 'serviceaccounts' | 'pods');
  readonly store: ObjectStore;
  readonly create: (object: ObjectDescription) => ClusterObject;
  readonly delete: (name: string, namespace: string) => ClusterObject;
}

/** Create, read, list and delete one resource of the core API, for administrators. */
export function objectEndpoints({
  name,
  store,
  create,
  delete: remove,
}: ObjectResource): readonly Endpoint[] {
  const scope = name === 'namespaces' ? '' : '/namespaces/(?<namespace>[^/]+)';
  const collection = new RegExp(`^/api/v1${scope}/${name}$`);
  const item = new RegExp(`^/api/v1${scope}/${name}/(?<name>[^/]+)$`);
  const common = { name, access: 'administrators' as const };
  const list = (request: ApiRequest) => jsonAnswer(200, toList(store, request));
  return [
    {
      ...common,
      method: 'POST',
      path: collection,
      answer: (request) => jsonAnswer(201, create(describeObject(request, store.kind))),
    },
    { ...common, method: 'GET', path: collection, answer: list },
    // "kubectl get -A" asks for the objects of all namespaces at once.
    ...(scope
      ? [{ ...common, method: 'GET' as const, path: new RegExp(`^/api/v1/${name}$`), answer: list }]
      : []),
    {
      ...common,
      method: 'GET',
      path: item,
      answer: ({ params }) => jsonAnswer(200, store.get(params.name, params.namespace)),
    },
    {
      ...common,
      method: 'DELETE',
      path: item,
      answer: ({ params }) => jsonAnswer(200, remove(params.name, params.namespace)),
    },
  ];
}

function toList(store: ObjectStore, { params, query }: ApiRequest): JsonObject {
  if (query.get('watch') === 'true' || query.get('watch') === '1') throw badRequest('watch is not supported');
  const selected = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
  return {
    kind: `${store.kind}List`,
    apiVersion: 'v1',
    metadata: { resourceVersion: '1' },
    items: store
      .list(params.namespace || undefined)
      .filter(({ metadata }) => selected === undefined || metadata.name === selected),
  };
}

/** @throws {ApiError} 400 or 422 */
function describeObject(request: ApiRequest, kind: string): ObjectDescription {
  const { namespace } = request.params;
  const { name, namedNamespace, spec } = readObject(request, kind, 'v1', (object) => {
    const metadata = objectMember(object, 'metadata');
    return {
      name: stringMember(metadata, 'name'),
      namedNamespace: stringMember(metadata, 'namespace'),
      spec: objectMember(object, 'spec'),
    };
  });
  if (namespace !== '' && namedNamespace !== '' && namedNamespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (name === '') {
    throw invalid(kind, name, 'metadata.name', 'Required value: name or generateName is required');
  }
  const isNameValid = kind === 'Namespace' ? isNamespaceName(name) : isServiceAccountName(name);
  if (!isNameValid) {
    throw invalid(
      kind,
      name,
      'metadata.name',
      `Invalid value: "${name}": a lowercase RFC 1123 name is required`,
    );
  }
  return { name, namespace, spec };
}
