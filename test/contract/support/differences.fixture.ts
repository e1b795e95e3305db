import { type Answer } from './contract-api.fixture.js';

interface Difference {
  readonly what: string;
  readonly reason: string;
  /** Removes the difference from an answer's body. */
  readonly hide: (body: Record<string, unknown>) => Record<string, unknown>;
}

/** All allowed differences between the stand-in and a real API server. */
export const DIFFERENCES: readonly Difference[] = [
  {
    what: '"metadata.managedFields"',
    reason: 'bookkeeping of server-side apply, which nobody who sends a review or asks for a token reads',
    hide: (body) => {
      if (typeof body.metadata !== 'object') return body;
      const { managedFields: _, ...metadata } = body.metadata as Record<string, unknown>;
      return { ...body, metadata };
    },
  },
  {
    what: 'the binding and the role that "status.reason" of a SelfSubjectAccessReview names for a ServiceAccount',
    reason: 'the stand-in knows rights, not bindings',
    hide: (body) => {
      if (body.kind !== 'SelfSubjectAccessReview') return body;
      const { reason, ...status } = body.status as { reason?: string };
      const comparable = reason?.replace(/ClusterRoleBinding ".*" (to ServiceAccount)/, '… $1');
      return { ...body, status: { ...status, ...(comparable !== undefined && { reason: comparable }) } };
    },
  },
  {
    what: 'the end of the message about a body that cannot be decoded',
    reason: "the words of Go's decoders, which quote the body; its beginning, up to the kind, is compared",
    hide: (body) => {
      const start =
        /^(?:the object provided is unrecognized \(must be of type \w+\)|.* cannot be handled as a \w+)/;
      const message = typeof body.message === 'string' ? body.message : '';
      return { ...body, ...(start.test(message) && { message: start.exec(message)?.[0] }) };
    },
  },
  {
    what: 'the media types that a 415 lists',
    reason: 'the stand-in takes no YAML and does not claim to',
    hide: (body) =>
      body.reason === 'UnsupportedMediaType'
        ? { ...body, message: String(body.message).replace(/ - accepted media types.*/, '') }
        : body,
  },
];

/** The body of an answer without the allowed differences. */
export function comparableBody({ body }: Answer): Record<string, unknown> {
  return DIFFERENCES.reduce((rest, { hide }) => hide(rest), body);
}
