import { type Deadline } from '../util/timers.js';

/** One call of the API server. */
export interface ApiServerRequest {
  readonly method: 'GET' | 'POST';
  /** Begins with a slash; it is appended to the connection's URL. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: string;
  /** @default 'application/json' */
  readonly accept?: string;
  /** The request fails if the response body is longer. @default 262144 */
  readonly maxBytes?: number;
  /** Covers everything: reading our own credential, connecting, all tries, the waits between them, the body. */
  readonly deadline: Deadline;
  /** Whether to retry after a transient failure, within the deadline. @default true */
  readonly retry?: boolean;
  /** Called after each answer that proves that the API server works. */
  readonly onAnswer?: () => void;
}
