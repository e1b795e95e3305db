// The entry for the workspace's own tools, such as the benchmark. package.json does not export it, and it may change in
// every release. It includes the public entry, so that the bundle keeps both in one file.
export * from './index.js';
export { findVerifierDefinition } from './verifiers/index.js';
export { systemClock } from './util/clock.js';
export { JwtVerifier } from './verifiers/jwt.verifier.js';
export { KeySet } from './jwt/signature.js';
export { verificationKeyOf } from './jwt/verification-key.js';
