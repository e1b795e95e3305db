import { type ServiceAccountName } from '../../src/identity/names.js';

/** A destination of a service: calls to this origin get a token that is issued for this audience. */
export interface DestinationOption {
  readonly origin: string;
  readonly audience: string;
}

/** A token at a path of the pod, as in the code of the service. */
export interface TokenFileOption {
  /** An absolute path. */
  readonly path: string;
  readonly audience: string;
}

/** One command line to print: a request, and the status that it gets. */
export interface Try {
  readonly status: number;
  readonly path: string;
  /** @default the first caller */
  readonly caller?: ServiceAccountName;
  /** Printed behind the command. */
  readonly note?: string;
}

/** One service: a command, and the pod that it believes to run in. */
export interface ServiceOptions {
  /** Before its lines, if there are several services. @default the name of its ServiceAccount */
  readonly name?: string;
  /** The words of the command. A single text with spaces is run by the shell. */
  readonly command: readonly string[];
  /** The service's own ServiceAccount. */
  readonly identity: ServiceAccountName;
  /** The audience that tokens of the callers are issued for. */
  readonly audience: string;
  /** The verifier's kind; `undefined` for a service that receives no calls. */
  readonly verifier: string | undefined;
  readonly destinations: readonly DestinationOption[];
  /** More tokens at paths that the code of the service names. @default [] */
  readonly tokenFiles?: readonly TokenFileOption[];
  /** Where the service listens. It gets this as `PORT`. */
  readonly port: number;
  /** The path in the command lines that are printed. @default '/' */
  readonly path?: string;
  /** Variables that override the user's own, such as those of options that were given. */
  readonly environment: Readonly<Record<string, string>>;
  /** A path that answers 200 as soon as the service is ready. @default ready means: it listens */
  readonly readyPath?: string;
  /** More command lines to print. */
  readonly tries?: readonly Try[];
  /**
   * Matches the line that the service logs about a call of its own, with the groups `target`, `status` and `body`, or
   * `error`. @default its calls are not shown on the live page
   */
  readonly callLine?: RegExp;
}

export interface DevOptions {
  readonly services: readonly ServiceOptions[];
  /** The ServiceAccounts whose tokens are offered; the first one is the one that a key deletes. */
  readonly callers: readonly ServiceAccountName[];
  /** Also print what Nest logs while it starts. */
  readonly isVerbose: boolean;
  /** The environment of the user, which the services inherit. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Variables that the user sets elsewhere, in the file `.env`: they get no default. */
  readonly alsoSet: readonly string[];
  /** Lifetime of the tokens. @default 600, the shortest that a real cluster grants */
  readonly tokenSeconds?: number;
  /** Rotates the signing key on this interval; when omitted, only on request. */
  readonly keyPeriodMs?: number;
  /** The port of the live page on loopback; 0 lets the system choose. @default no live page */
  readonly pagePort?: number | undefined;
}

/** The name before the lines of a service. */
export function nameOf({ name, identity }: ServiceOptions): string {
  return name ?? identity.name;
}

/** `shop/checkout` */
export function pathOf({ namespace, name }: ServiceAccountName): string {
  return `${namespace}/${name}`;
}
