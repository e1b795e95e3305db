import { type JsonObject } from './jws.js';
import { decodeMessage, type MessageSchema } from './protobuf.js';

/** The media type of request bodies of kubectl and Go clients since client-go 1.32; answers may still be JSON. */
export const KUBERNETES_PROTOBUF = 'application/vnd.kubernetes.protobuf';

// The envelope (apimachinery runtime.Unknown), after four bytes of magic.
const MAGIC = Buffer.from('k8s\0');
const UNKNOWN: MessageSchema = {
  1: ['typeMeta', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }],
  2: ['raw', 'bytes'],
};

const METADATA: MessageSchema = { 1: ['name', 'string'], 3: ['namespace', 'string'] };

// Field numbers of generated.proto in k8s.io/api; only what the endpoints read.
const SPECS: Readonly<Record<string, MessageSchema>> = {
  Namespace: {},
  ServiceAccount: {},
  Pod: { 8: ['serviceAccountName', 'string'], 10: ['nodeName', 'string'] },
  TokenReview: { 1: ['token', 'string'], 2: ['audiences', 'strings'] },
  TokenRequest: {
    1: ['audiences', 'strings'],
    3: [
      'boundObjectRef',
      { 1: ['kind', 'string'], 2: ['apiVersion', 'string'], 3: ['name', 'string'], 4: ['uid', 'string'] },
    ],
    4: ['expirationSeconds', 'integer'],
  },
  SelfSubjectAccessReview: {
    1: [
      'resourceAttributes',
      {
        1: ['namespace', 'string'],
        2: ['verb', 'string'],
        3: ['group', 'string'],
        4: ['version', 'string'],
        5: ['resource', 'string'],
        6: ['subresource', 'string'],
        7: ['name', 'string'],
      },
    ],
    2: ['nonResourceAttributes', { 1: ['path', 'string'], 2: ['verb', 'string'] }],
  },
};

/** @returns the object as its JSON would be @throws {RangeError} it is not one of the kinds that are read here */
export function decodeKubernetesProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError('magic number is missing');
  const { typeMeta, raw } = decodeMessage(body.subarray(MAGIC.length), UNKNOWN);
  const { kind, apiVersion } = typeMeta as { kind?: string; apiVersion?: string };
  const spec = SPECS[kind ?? ''];
  if (!spec || !Buffer.isBuffer(raw)) throw new RangeError('kind is unknown');
  // ServiceAccounts have no spec: their second field is a list of secrets.
  const fields = kind === 'ServiceAccount' ? { 1: ['metadata', METADATA] as const } : withSpec(spec);
  return { kind, apiVersion, ...decodeMessage(raw, fields) };
}

function withSpec(spec: MessageSchema): MessageSchema {
  return { 1: ['metadata', METADATA], 2: ['spec', spec] };
}
