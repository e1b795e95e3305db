import { type Clock } from '../../../src/util/clock.js';
import { ACTION_GROUPS, type DevAction } from '../actions.js';
import { type DevCluster } from '../dev-cluster.js';
import { type DevOptions, nameOf, pathOf } from '../dev.options.js';
import { type RunningServices, type ServiceState } from '../running-services.js';
import { type KeyFact } from '../signing-keys.js';
import { urlOf } from '../try-lines.js';
import { tokenFacts, type TokenFacts } from './token-facts.js';

// The kubelet replaces a token at 80 % of its lifetime, and at the latest after one day (pkg/kubelet/token).
const ROTATE_AT_SHARE = 0.8;
const LONGEST_AGE_MS = 24 * 3_600_000;

export interface ServiceFact {
  readonly name: string;
  readonly account: string;
  readonly url: string;
  readonly state: ServiceState;
  readonly isTarget: boolean;
  /** Absent for a service that receives no calls. */
  readonly audience?: string;
  readonly verifier?: string;
}

/** The token in the file of the first caller. */
export interface CallerFact {
  readonly account: string;
  readonly exists: boolean;
  readonly hasPod: boolean;
  readonly isForAnotherService: boolean;
  readonly token?: TokenFacts;
  /** When the file gets the next token. Absent if it gets none, because its ServiceAccount, its pod or the API server is gone. */
  readonly rotatesAtMs?: number;
}

/** What the page shows besides calls. Contains no token text. */
export interface PageState {
  readonly nowMs: number;
  readonly services: readonly ServiceFact[];
  readonly apiServer: { readonly url: string; readonly issuer: string; readonly isReachable: boolean };
  readonly keys: readonly KeyFact[];
  readonly caller?: CallerFact;
  readonly groups: readonly { readonly title: string; readonly actions: readonly ActionFact[] }[];
}

export type ActionFact = Pick<DevAction, 'id' | 'key' | 'label' | 'hint' | 'isChosen'>;

export interface PageStateSource {
  readonly options: DevOptions;
  readonly cluster: DevCluster;
  readonly services: RunningServices;
  readonly clock: Clock;
  readonly actions: () => readonly DevAction[];
  readonly target: number;
}

export function pageState(source: PageStateSource): PageState {
  const { options, cluster, services, clock, actions, target } = source;
  return {
    nowMs: clock.wallMs(),
    services: options.services.map((service, index) => {
      const verifier = services.verifierOf(index);
      return {
        ...{ name: nameOf(service), account: pathOf(service.identity), url: urlOf(service) },
        ...{ state: services.stateOf(index), isTarget: index === target },
        ...(verifier !== undefined && { verifier, audience: service.audience }),
      };
    }),
    apiServer: { url: cluster.url, issuer: cluster.issuer, isReachable: cluster.isReachable },
    keys: cluster.keys.facts(),
    ...(target >= 0 && { caller: callerFact(cluster) }),
    groups: groupsOf(actions()),
  };
}

function callerFact(cluster: DevCluster): CallerFact {
  const { caller } = cluster;
  const { exists, hasPod, isForAnotherService } = caller.state;
  const token = readToken(cluster);
  const rotatesAtMs = exists && hasPod && cluster.isReachable ? rotationOf(token) : undefined;
  return {
    ...{ account: pathOf(caller.subject.account), exists, hasPod, isForAnotherService },
    ...(token && { token }),
    ...(rotatesAtMs !== undefined && { rotatesAtMs }),
  };
}

function readToken(cluster: DevCluster): TokenFacts | undefined {
  try {
    return tokenFacts(cluster.caller.token());
  } catch {
    // The file is written only after the service has started.
    return undefined;
  }
}

function rotationOf(token: TokenFacts | undefined): number | undefined {
  const { iat, exp } = token?.claims ?? {};
  if (typeof iat !== 'number' || typeof exp !== 'number') return undefined;
  return iat * 1000 + Math.min((exp - iat) * 1000 * ROTATE_AT_SHARE, LONGEST_AGE_MS);
}

function groupsOf(actions: readonly DevAction[]): PageState['groups'] {
  const names = Object.keys(ACTION_GROUPS) as (keyof typeof ACTION_GROUPS)[];
  return names
    .map((group) => ({
      title: ACTION_GROUPS[group],
      actions: actions
        .filter((action) => action.group === group && action.isOnPage !== false)
        .map(({ id, key, label, hint, isChosen }) => ({
          ...{ id, label, hint },
          ...(key !== undefined && { key }),
          ...(isChosen !== undefined && { isChosen }),
        })),
    }))
    .filter((group) => group.actions.length > 0);
}
