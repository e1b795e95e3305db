// The texts of mistakes that the route compiler finds. Each follows the name of a class or a method.

/** The mistake of a class whose instances are of another class. */
export const UNIDENTIFIED_CLASS =
  'expected the class that Nest creates to be the constructor of its instances, because ' +
  'otherwise it is unknown which decorators apply (a mixin, a Proxy or a constructor has changed it)';

/** The mistake of a decorated method that the instance does not have. */
export const REPLACED_METHOD =
  'expected the instance to have this method, or one function that replaces only this method';

/** The mistake of a protected route that no `K8sAuthModule` serves. */
export const MISSING_MODULE = 'expected K8sAuthModule in the imports of its module because of @K8sAuth';

/** The mistake of a protected route whose `K8sAuthModule` verifies no tokens. */
export const MISSING_VERIFIER = "expected option 'verifier' (variable K8S_AUTH_VERIFIER) because of @K8sAuth";
