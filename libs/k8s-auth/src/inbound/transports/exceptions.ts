import { HttpException } from '@nestjs/common';
import { importOptional } from '../../util/optional-package.js';
import { type Refusal } from './transport.js';

type ExceptionOf<Content> = new (error: Content) => Error;

/** The exceptions of the packages that the application uses. Nest recognizes them by their class. */
const classes: { ws?: ExceptionOf<object>; rpc?: ExceptionOf<object> } = {};

/**
 * Loads the exceptions of messages. An application with such handlers has loaded the packages already.
 * @throws {ConfigurationError} a package cannot be loaded
 * @internal
 */
export async function loadExceptions(needs: { ws: boolean; rpc: boolean }): Promise<void> {
  if (needs.ws && !classes.ws) {
    const { WsException } = await importOptional(
      '@nestjs/websockets',
      'guarded gateways',
      () => import('@nestjs/websockets'),
    );
    classes.ws = WsException;
  }
  if (needs.rpc && !classes.rpc) {
    const { RpcException } = await importOptional(
      '@nestjs/microservices',
      'guarded message handlers',
      () => import('@nestjs/microservices'),
    );
    classes.rpc = RpcException;
  }
}

/** The content of an error message to the caller. @internal */
export function bodyOf({ code, statusCode, message, retryAfterSeconds }: Refusal): object {
  return {
    status: 'error',
    statusCode,
    code,
    message,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

/** @param content what the caller receives @internal */
export function messageException(kind: 'ws' | 'rpc', content: object, refusal: Refusal): Error {
  const Exception = classes[kind];
  // Before startup is complete. Nest then reports an internal error to the caller.
  if (!Exception) return new HttpException(content, refusal.statusCode, { cause: refusal.cause });
  const exception = new Exception(content);
  Object.defineProperty(exception, 'cause', { value: refusal.cause, configurable: true, writable: true });
  return exception;
}
