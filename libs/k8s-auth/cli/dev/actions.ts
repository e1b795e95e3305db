import { type DevCluster } from './dev-cluster.js';
import { type CallToSend } from './page/send-call.js';

/** The groups of buttons on the live page, in their order there. */
export const ACTION_GROUPS = {
  send: 'Send a call',
  caller: 'Change the caller',
  keys: 'Change the signing keys',
  cluster: 'Change the API server',
  verifier: 'Switch the verifier',
  session: 'Restart',
} as const;

/** What a key of the terminal and a button of the live page do. */
export interface DevAction {
  readonly id: string;
  readonly group: keyof typeof ACTION_GROUPS;
  /** The key in the terminal. Omitted: only a button. */
  readonly key?: string;
  /** `false`: only a key. @default true */
  readonly isOnPage?: boolean;
  /** What it does now: some actions are undone by a second use. */
  readonly label: string;
  readonly hint: string;
  /** For actions of which one is chosen, such as the verifiers. */
  readonly isChosen?: boolean;
  /** @throws {Error} why it is impossible now */
  readonly run: () => void | Promise<void | string>;
}

export interface ActionTargets {
  readonly cluster: DevCluster;
  /** @returns the answer in a few words */
  readonly send: (call: CallToSend) => Promise<string>;
  readonly session: {
    restart(): Promise<void>;
    /** Restarts the services that mount the caller's token. */
    restartCallers(): Promise<void>;
    useVerifier(kind: string): Promise<void>;
    quit(): void;
  };
  readonly verifier: string | undefined;
  readonly verifiers: readonly string[];
  /** A route that refuses the first caller, if one is known. */
  readonly refusingPath: string | undefined;
}

/** Every action, in the order in which they are shown. The labels are those of the present state. */
export function devActions({ cluster, send, session, ...targets }: ActionTargets): readonly DevAction[] {
  const { crafted, caller, keys } = cluster;
  const { exists, hasPod, isForAnotherService } = caller.state;
  const { verifier, verifiers, refusingPath } = targets;
  const next = verifiers[(verifiers.indexOf(verifier ?? '') + 1) % verifiers.length] ?? '';
  // prettier-ignore
  const calls: DevAction[] = verifier === undefined ? [] : [
    { id: 'send-valid', key: 'c', group: 'send', label: 'Valid token', hint: "the caller's token, as its file holds it now", run: () => send({ what: 'valid token', token: () => caller.token() }) },
    { id: 'send-without', key: 'w', group: 'send', label: 'No token', hint: 'a request without credentials', run: () => send({ what: 'no token' }) },
    { id: 'send-forged', key: 'f', group: 'send', label: 'Forged token', hint: 'names a key of the cluster, but another key has signed it', run: () => send({ what: 'forged token', token: () => crafted.forged(caller.subject) }) },
    { id: 'send-expired', key: 'e', group: 'send', label: 'Expired token', hint: 'genuine, but its time was over an hour ago', run: () => send({ what: 'expired token', token: () => crafted.expired(caller.subject) }) },
    { id: 'send-foreign', key: 'n', group: 'send', label: 'Foreign token', hint: 'of another cluster, for a ServiceAccount with the same name', run: () => send({ what: 'foreign token', token: () => crafted.foreign(caller.subject) }) },
    { id: 'send-misdirected', key: 'm', group: 'send', label: 'Wrong audience', hint: 'genuine, but issued for another audience', run: () => send({ what: 'token for another service', token: () => crafted.forAnotherService(caller.subject) }) },
    { id: 'send-old-key', key: 'b', group: 'send', label: 'Previous key', hint: 'accepted until the old key is dropped', run: () => send({ what: 'token of the previous key', token: () => caller.tokenOfPreviousKey() }) },
    ...(refusingPath === undefined ? [] : [{ id: 'send-forbidden', key: 'l', group: 'send', label: `To ${refusingPath}`, hint: 'a rule of this route refuses the caller', run: () => send({ what: 'valid token', token: () => caller.token(), path: refusingPath }) } as const]),
    { id: 'account', key: 'd', group: 'caller', label: exists ? 'Delete the ServiceAccount' : 'Create the ServiceAccount again', hint: 'of the first caller; its tokens name the deleted one', run: () => caller.toggleAccount() },
    { id: 'pod', key: 'p', group: 'caller', label: hasPod ? 'Delete the pod' : 'Start another pod', hint: 'that the token of the first caller is bound to', run: () => caller.togglePod() },
    { id: 'audience', key: 'a', group: 'caller', label: isForAnotherService ? 'Restore the audience' : 'Change the audience', hint: "of the caller's volume; a new pod replaces the old one", run: () => caller.toggleAudience().then(() => session.restartCallers()) },
  ];
  // prettier-ignore
  return [
    ...calls,
    { id: 'rotate-tokens', key: 't', group: 'caller', label: 'Rotate the tokens', hint: 'every token file is replaced now', run: () => cluster.rotateTokens() },
    { id: 'rotate-key', key: 'k', group: 'keys', label: 'Rotate the signing key', hint: 'the new key is published now and signs in 15 s', run: () => keys.rotate() },
    { id: 'drop-old-keys', key: 'x', group: 'keys', label: 'Drop the old keys', hint: 'their tokens are refused as soon as verifiers notice', run: () => keys.dropOld() },
    { id: 'outage', key: 'o', group: 'cluster', label: cluster.isReachable ? 'Cut off the API server' : 'Restore the API server', hint: 'it refuses connections', run: () => cluster.toggleOutage() },
    ...(verifier === undefined ? [] : verifiers.map((kind): DevAction => ({ id: `verifier-${kind}`, group: 'verifier', label: kind, isChosen: kind === verifier, hint: 'restarts the service with this verifier', run: () => session.useVerifier(kind) }))),
    ...(verifier === undefined ? [] : [{ id: 'next-verifier', key: 'v', group: 'verifier', isOnPage: false, label: 'Next verifier', hint: `restarts the service with ${next}`, run: () => session.useVerifier(next) } as const]),
    { id: 'restart', key: 'r', group: 'session', label: 'Restart the services', hint: 'the cluster, its keys and its tokens stay the same', run: () => session.restart() },
    { id: 'quit', key: 'q', group: 'session', isOnPage: false, label: 'Quit', hint: 'stops everything', run: () => session.quit() },
  ];
}

/** `c valid token, w no token, …`: the keys, for the terminal. */
export function keyLines(actions: readonly DevAction[], isTerminal: boolean): readonly string[] {
  const keysOf = (list: readonly DevAction[]) =>
    list.flatMap(({ key, label }) => (key === undefined ? [] : [`${key} ${lowerFirst(label)}`])).join(', ');
  const calls = actions.filter(({ group }) => group === 'send');
  const others = actions.filter(({ group }) => group !== 'send');
  const withEnter = isTerminal ? '' : ' (each with Enter)';
  return [
    ...(calls.length > 0 ? [`to send a call: ${keysOf(calls)}`] : []),
    `here: ${keysOf(others)}${withEnter}`,
  ];
}

/** The action of a key, as it is now. */
export function findByKey(actions: readonly DevAction[], key: string): DevAction | undefined {
  return actions.find((action) => action.key === key);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
