import { type EventSink } from '../events/k8s-auth.events.js';
import { type Verify } from './verifier.js';

/**
 * Reports each call of a verification to the listeners of `onOperation`. Wrap the verification inside of its cache, so that a
 * verdict in memory is not reported and costs nothing.
 * @param kind of the verifier
 * @internal
 */
export function observed(verify: Verify, kind: string, events: EventSink | undefined): Verify {
  if (!events) return verify;
  const operation = { name: 'verify', verifier: kind } as const;
  return (token, audiences, connection) =>
    events.hears('onOperation')
      ? events.observe(
          operation,
          () => verify(token, audiences, connection),
          ({ principal }) => principal.username,
        )
      : verify(token, audiences, connection);
}
