import { declarePublic } from './route-declaration.js';

/**
 * Opens a route, or all routes of this very class, to callers without a token. Never inherited: a subclass says it
 * again. A method's `@K8sAuth` closes its route under a class's `@Public`.
 * @publicApi
 */
export function Public(): ClassDecorator & MethodDecorator {
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor): void =>
    declarePublic(descriptor ? (descriptor.value as object) : target);
}
