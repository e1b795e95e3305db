import { type JsonObject } from './jws.js';
import { type Answer, jsonAnswer, textAnswer } from './answer.js';

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly StatusCause[];
}

/** A refusal of the API server: a Status object (meta/v1) with its HTTP code. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details?: StatusDetails,
  ) {
    super(message);
  }

  toAnswer(): Answer {
    return jsonAnswer(this.code, this.toStatus());
  }

  private toStatus(): JsonObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details && { details: this.details }),
      code: this.code,
    };
  }
}

// The messages of apimachinery's api/errors.

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function notFound(resource: string, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${resource} "${name}" not found`, { name, kind: resource });
}

export function alreadyExists(resource: string, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${resource} "${name}" already exists`, { name, kind: resource });
}

export function conflict(resource: string, name: string, problem: string): ApiError {
  const message = `Operation cannot be fulfilled on ${resource} "${name}": ${problem}`;
  return new ApiError(409, 'Conflict', message, { name, kind: resource });
}

/** @param type such as `TokenRequest.authentication.k8s.io` */
export function invalid(type: string, name: string, field: string, problem: string): ApiError {
  const [kind = type, ...group] = type.split('.');
  const reason = problem.startsWith('Required value') ? 'FieldValueRequired' : 'FieldValueInvalid';
  return new ApiError(422, 'Invalid', `${type} "${name}" is invalid: ${field}: ${problem}`, {
    ...(name && { name }),
    ...(group.length > 0 && { group: group.join('.') }),
    ...(kind && { kind }),
    causes: [{ reason, message: problem, field }],
  });
}

const KNOWN_GROUPS = /^\/(?:api|apis\/authentication\.k8s\.io|apis\/authorization\.k8s\.io)\//;

/** Paths outside the API groups answer with plain text, not with an object. */
class NoSuchPath extends ApiError {
  override toAnswer(): Answer {
    return textAnswer(404, '404 page not found\n');
  }
}

export function unknownPath(path: string): ApiError {
  const NotFound = KNOWN_GROUPS.test(path) ? ApiError : NoSuchPath;
  return new NotFound(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): ApiError {
  const message = 'the server does not allow this method on the requested resource';
  return new ApiError(405, 'MethodNotAllowed', message, {});
}

export function tooLarge(limit: number): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
}

/**
 * The result of the action, or the answer for the {@link ApiError} that it throws; any other error gives an internal
 * error.
 */
export function attempt<T>(action: () => T): T | ApiError {
  try {
    return action();
  } catch (error) {
    if (error instanceof ApiError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`);
  }
}
