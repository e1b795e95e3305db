import { type Log } from '../src/util/log.js';

/** For commands that report every failure themselves. */
export const SILENT_LOG: Log = { log: () => {}, warn: () => {}, error: () => {} };
