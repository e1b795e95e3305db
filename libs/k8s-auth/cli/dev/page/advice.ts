/** What to change, by the code of the refusal. The pages docs/refused-tokens.md and docs/errors.md say more. */
const ADVICE: Readonly<Record<string, string>> = {
  ERR_K8S_AUTH_TOKEN_MISSING:
    'The caller has to send a token: list the origin of the service in its destinations.',
  ERR_K8S_AUTH_CREDENTIALS_MALFORMED:
    'The caller has to send exactly one header, Authorization: Bearer <token>.',
  ERR_K8S_AUTH_TOKEN_MALFORMED: 'The caller has to send a ServiceAccount token. This is not one.',
  ERR_K8S_AUTH_TOKEN_SIGNATURE:
    'No key of the issuer has signed this token. Either it is forged, or the key was removed before its tokens expired.',
  ERR_K8S_AUTH_TOKEN_EXPIRED:
    'The caller has to read its token file again. The library does; check that the volume is renewed, and the clocks.',
  ERR_K8S_AUTH_TOKEN_NOT_YET_VALID: 'Check the clocks of both machines.',
  ERR_K8S_AUTH_TOKEN_ISSUER:
    'The token is from another cluster. If its callers are welcome, add its issuer to the verifier.',
  ERR_K8S_AUTH_TOKEN_AUDIENCE:
    "Set `audience` of the caller's projected volume to the audience of the route, or the other way round.",
  ERR_K8S_AUTH_TOKEN_REJECTED:
    'The API server rejects the token: its ServiceAccount or its pod may be deleted. The caller needs a new token.',
  ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN:
    'The token is valid. To let this caller in, add it to the rules of the route.',
  ERR_K8S_AUTH_ROUTE_UNDECORATED: 'Add @K8sAuth(...) or @Public() to the route.',
  ERR_K8S_AUTH_VERIFIER_UNAVAILABLE:
    'Nothing is wrong with the token. The API server or the issuer cannot be asked now; callers try again.',
};

export function adviceFor(code: string | undefined): string | undefined {
  return code === undefined ? undefined : ADVICE[code];
}
