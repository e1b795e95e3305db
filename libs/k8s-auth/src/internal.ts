// The entry for the workspace's own tools, such as the benchmark. package.json does not export it, and it may change in
// every release. It includes the public entry, so that the bundle keeps both in one file.
export * from './index.js';
export { findVerifierDefinition } from './verifiers/index.js';
export { systemClock } from './util/clock.js';
