import { ApiError, badRequest } from './api-error.js';
import { type ApiRequest } from './endpoint.js';
import { isJsonObject, type JsonObject } from './jws.js';
import { decodeKubernetesProtobuf, KUBERNETES_PROTOBUF } from './kubernetes-protobuf.js';

const JSON_TYPE = 'application/json';

/** @throws {ApiError} 415 or 400, for what the API server could not decode as this kind */
export function readObject({ headers, body }: ApiRequest, kind: string, apiVersion: string): JsonObject {
  const object = decode(headers['content-type']?.split(';')[0]?.trim() || JSON_TYPE, body);
  const foreignKind = object.kind !== undefined && object.kind !== kind;
  if (foreignKind || (object.apiVersion !== undefined && object.apiVersion !== apiVersion)) {
    throw badRequest(
      `${textOf(object.kind)} in version "${textOf(object.apiVersion)}" cannot be handled as a ${kind}`,
    );
  }
  return object;
}

function decode(mediaType: string, body: Buffer): JsonObject {
  if (mediaType !== JSON_TYPE && mediaType !== KUBERNETES_PROTOBUF) {
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${JSON_TYPE}, ${KUBERNETES_PROTOBUF}`,
      {},
    );
  }
  try {
    const value: unknown =
      mediaType === JSON_TYPE ? JSON.parse(body.toString('utf8')) : decodeKubernetesProtobuf(body);
    if (isJsonObject(value)) return value;
  } catch {
    // Said below: the parser's own words could quote the body.
  }
  throw badRequest("the object provided is unrecognized: couldn't get version/kind; parse error");
}

/** A member that is an object, or an empty one when it is absent. @throws {ApiError} 400 for anything else */
export function objectMember(object: JsonObject, name: string): JsonObject {
  const value = object[name] ?? {};
  if (!isJsonObject(value)) throw badRequest(`cannot unmarshal "${name}" into an object`);
  return value;
}

/** A member that is a string, or an empty one when it is absent. @throws {ApiError} 400 for anything else */
export function stringMember(object: JsonObject, name: string): string {
  const value = object[name] ?? '';
  if (typeof value !== 'string') throw badRequest(`cannot unmarshal "${name}" into a string`);
  return value;
}

/** A list of strings, empty when it is absent. @throws {ApiError} 400 for anything else */
export function stringsMember(object: JsonObject, name: string): readonly string[] {
  const value = object[name] ?? [];
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw badRequest(`cannot unmarshal "${name}" into a list of strings`);
  }
  return value;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
