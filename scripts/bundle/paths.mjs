import { join } from 'node:path';

export const LIBRARY = join(import.meta.dirname, '../../libs/k8s-auth');
export const LIBRARY_BUILD = join(LIBRARY, 'dist');

/** The folders of the public entries beside the main one, each with an `index.js`. */
export const ENTRY_FOLDERS = ['testing', 'prometheus', 'opentelemetry', 'terminus'];
