// Bundles the library that tsc has compiled into libs/k8s-auth/dist. See bundleLibrary.
import { bundleLibrary } from './bundle/bundle-library.mjs';
import { LIBRARY_BUILD } from './bundle/paths.mjs';

await bundleLibrary(LIBRARY_BUILD);
