/** Injection token of the {@link Verifier}; its value is `undefined` in a service that only calls others. @internal */
export const K8S_AUTH_VERIFIER = Symbol('K8S_AUTH:VERIFIER');

/** Injection token of the {@link InboundRoot}. Nest's error shows the text to users who forgot the module. @internal */
export const K8S_AUTH_INBOUND_ROOT = Symbol(
  'from K8sAuthModule: import K8sAuthModule.forRoot(...) or K8sAuthModule.forRootAsync(...)',
);

/** Name of what decorators have said, on the global object. @internal */
export const STATEMENTS = Symbol.for('nest-k8s-auth:statements');

// Metadata keys. `Symbol.for`, because one process may load the library twice.

/** On a class or a function: what it declares, for functions that replace it and copy its metadata. @internal */
export const DECLARATION = Symbol.for('nest-k8s-auth:declaration');

/** On a function: the classes with `@K8sAuth` that it was written in, for methods that are copied elsewhere. @internal */
export const HOMES = Symbol.for('nest-k8s-auth:homes');

/** On each function that Nest routes: itself. A wrapper that copies the function's metadata leads back to it. @internal */
export const ORIGINAL = Symbol.for('nest-k8s-auth:original');

/** On a guard of the testing entry, which may replace `K8sAuthGuard`. @internal */
export const AUTHENTICATES_IN_TESTS = Symbol.for('nest-k8s-auth:authenticates-in-tests');
