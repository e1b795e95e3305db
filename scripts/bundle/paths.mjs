import { join } from 'node:path';

export const LIBRARY = join(import.meta.dirname, '../../libs/k8s-auth');
export const LIBRARY_BUILD = join(LIBRARY, 'dist');
