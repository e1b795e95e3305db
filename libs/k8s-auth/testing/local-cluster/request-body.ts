import { ApiError, badRequest } from './api-error.js';
import { type ApiRequest } from './endpoint.js';
import { isJsonObject, type JsonObject } from './jws.js';
import { decodeKubernetesProtobuf, KUBERNETES_PROTOBUF } from './kubernetes-protobuf.js';

const JSON_TYPE = 'application/json';

/** A member of the body whose type differs from that of its field. */
export class UndecodableMember extends ApiError {
  constructor(member: string, type: string) {
    super(400, 'BadRequest', `cannot unmarshal "${member}" into ${type}`);
  }
}

/**
 * The value that `read` returns for a body of this kind.
 * @throws {ApiError} 415 or 400, for a body that the API server could not decode
 */
export function readObject<T>(
  { headers, body }: ApiRequest,
  kind: string,
  apiVersion: string,
  read: (object: JsonObject) => T,
): T {
  const object = decode(headers['content-type']?.split(';')[0]?.trim() || JSON_TYPE, body);
  if (!object) {
    const problem = "couldn't get version/kind; parse error";
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${problem}`);
  }
  const { kind: givenKind = kind, apiVersion: givenVersion = apiVersion } = object;
  if (givenKind !== kind || givenVersion !== apiVersion) {
    throw unhandled(kind, textOf(givenKind), textOf(givenVersion), 'unknown conversion');
  }
  try {
    return read(object);
  } catch (error) {
    throw error instanceof UndecodableMember ? unhandled(kind, kind, apiVersion, error.message) : error;
  }
}

function unhandled(kind: string, givenKind: string, apiVersion: string, problem: string): ApiError {
  const version = apiVersion.split('/').at(-1) ?? '';
  return badRequest(`${givenKind} in version "${version}" cannot be handled as a ${kind}: ${problem}`);
}

/**
 * @returns `undefined` for a body without an object. No error is thrown, because the parser's message could quote the
 * body
 */
function decode(mediaType: string, body: Buffer): JsonObject | undefined {
  if (mediaType !== JSON_TYPE && mediaType !== KUBERNETES_PROTOBUF) {
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${JSON_TYPE}, ${KUBERNETES_PROTOBUF}`,
    );
  }
  try {
    const value: unknown =
      mediaType === JSON_TYPE ? JSON.parse(body.toString('utf8')) : decodeKubernetesProtobuf(body);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A member that is an object, or an empty one when it is absent. @throws {ApiError} 400 for anything else */
export function objectMember(object: JsonObject, name: string): JsonObject {
  const value = object[name] ?? {};
  if (!isJsonObject(value)) throw new UndecodableMember(name, 'an object');
  return value;
}

/** A member that is a string, or an empty one when it is absent. @throws {ApiError} 400 for anything else */
export function stringMember(object: JsonObject, name: string): string {
  const value = object[name] ?? '';
  if (typeof value !== 'string') throw new UndecodableMember(name, 'a string');
  return value;
}

/** A list of strings, empty when it is absent. @throws {ApiError} 400 for anything else */
export function stringsMember(object: JsonObject, name: string): readonly string[] {
  const value = object[name] ?? [];
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw new UndecodableMember(name, 'a list of strings');
  }
  return value;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
