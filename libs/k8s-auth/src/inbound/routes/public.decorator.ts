import { assertParentheses, declare } from './declarations.js';

/**
 * Opens a route, or all routes of this class, to callers without a token. Subclasses do not inherit it. `@K8sAuth` on a
 * method closes its route under a class's `@Public`.
 * @throws {ConfigurationError} it stands on anything but a class or a method, or is used without parentheses
 * @publicApi
 */
export function Public(...none: never[]): ClassDecorator & MethodDecorator {
  assertParentheses('@Public', none);
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void =>
    declare(target, name, descriptor, { isPublic: true });
}
