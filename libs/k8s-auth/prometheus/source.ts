import { type Clock, type K8sAuthEvents, type K8sAuthStatistics } from '../src/index.js';

/** The parts of one `K8sAuthModule` that are measured. */
export interface Source {
  readonly events: K8sAuthEvents;
  readonly statistics: K8sAuthStatistics;
  readonly clock: Clock;
}
