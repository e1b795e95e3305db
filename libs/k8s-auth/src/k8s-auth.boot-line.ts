import { type InboundRoot } from './inbound/routes/route.js';
import { type CheckedOptions } from './config/options.js';
import { type K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Log } from './util/log.js';
import { type Verifier } from './verifiers/verifier.js';

/** The parts of one `K8sAuthModule` that the line describes. */
export interface StartedParts {
  readonly checked: CheckedOptions;
  readonly verifier: Verifier | undefined;
  readonly root: InboundRoot;
  readonly tokenSource: K8sAuthTokenSource;
}

/**
 * Logs one line about what a `K8sAuthModule` does in this application, after startup has compiled the routes. `issuer` is
 * absent if it is not known yet.
 * @internal
 */
export async function logStart(
  { checked, verifier, root, tokenSource }: StartedParts,
  log: Log,
): Promise<void> {
  const { issuers, apiServer } = (await verifier?.summary?.()) ?? {};
  log.log({
    message: 'K8sAuthModule has started',
    verifier: checked.options.verifier?.kind ?? 'none',
    ...(issuers && { issuer: issuers }),
    ...(apiServer !== undefined && { apiServer }),
    ...root.routes.summary.of(root),
    destinations: tokenSource.states().map(({ origin }) => origin),
  });
}
