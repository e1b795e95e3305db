import { type Environment } from '../../src/config/environment.js';
import { type Clock } from '../../src/util/clock.js';
import { SILENT_LOG } from '../silent-log.js';

/** What the steps need besides the options. */
export interface DoctorContext {
  readonly clock: Clock;
  readonly environment: Environment;
  /** The directory that contains the paths of a pod: its token, and `proc/self/mountinfo`. @default '/' */
  readonly root?: string;
}

// Long enough for a slow cluster, and short enough for an init container that checks ten things.
export const REQUEST_TIMEOUT_MS = 5_000;

/** For the library's own functions, whose log would repeat what the steps say. @internal */
export function libraryContext({ clock, environment, root = '/' }: DoctorContext) {
  return { clock, environment, podRoot: root, log: SILENT_LOG };
}
