import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type ParseArgsConfig, parseEnv } from 'node:util';
import {
  isServiceAccountName,
  parseServiceAccountPath,
  readAudiences,
  type ServiceAccountName,
} from '../../src/identity/names.js';
import { parseUrl } from '../../src/util/syntax.js';
import { verifierKinds } from '../../src/verifiers/index.js';
import { UsageError } from '../command.js';
import { didYouMean } from '../../src/util/did-you-mean.js';
import { type OptionValues, parseOptions, splitCommand } from '../split-command.js';
import {
  type DestinationOption,
  type DevOptions,
  type ServiceOptions,
  type TokenFileOption,
} from './dev.options.js';

export const DEFAULT_VERIFIER = 'oidc-discovery';
const DEFAULT_PORT = 3000;
const DEFAULT_NAMESPACE = 'default';
/** `--verifier none`: the service receives no calls. */
const NO_VERIFIER = 'none';
/** Separates the services of one command line. */
const NEXT_SERVICE = '--and';

const OPTIONS = {
  as: { type: 'string' },
  caller: { type: 'string', multiple: true },
  audience: { type: 'string' },
  destination: { type: 'string', multiple: true },
  'token-file': { type: 'string', multiple: true },
  verifier: { type: 'string' },
  port: { type: 'string' },
  path: { type: 'string' },
  verbose: { type: 'boolean' },
  'no-page': { type: 'boolean' },
  'page-port': { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

type Environment = Readonly<Record<string, string | undefined>>;

/** One service of the command line. */
interface Group {
  readonly values: OptionValues<typeof OPTIONS>;
  readonly command: readonly string[];
}

/** @param directory where the user's project is: `package.json` and `.env` are read there @throws {UsageError} */
export function parseDevArguments(
  args: readonly string[],
  environment: Environment,
  directory: string,
): DevOptions {
  const fromFile = readIfPresent(join(directory, '.env'), parseEnv);
  const settings = { ...fromFile, ...environment };
  const groups = groupsOf(args).map((group): Group => {
    const { own, command } = splitCommand(group, OPTIONS);
    return { values: parseOptions(own, OPTIONS), command };
  });
  const services = groups.map((group, index) => serviceOf(group, index, { settings, directory }));
  const callers = groups
    .flatMap(({ values }) => values.caller ?? [])
    .map((text) => accountOf('--caller', text));
  const namespace = services[0]?.identity.namespace ?? DEFAULT_NAMESPACE;
  return {
    services,
    callers: callers.length > 0 ? callers : [{ namespace, name: 'caller' }],
    isVerbose: groups.some(({ values }) => values.verbose),
    environment,
    alsoSet: Object.keys(fromFile ?? {}),
    pagePort: pagePortOf(groups),
  };
}

function serviceOf(
  { values, command }: Group,
  index: number,
  { settings, directory }: { readonly settings: Environment; readonly directory: string },
): ServiceOptions {
  if (command.length === 0) {
    throw new UsageError('expected a command, as in: npx nest-k8s-auth dev -- nest start --watch');
  }
  const identity = values.as === undefined ? identityOf(directory) : accountOf('--as', values.as);
  const audience = audienceOf(values.audience, settings) ?? identity.name;
  const kind = verifierOf(values.verifier ?? settings.K8S_AUTH_VERIFIER ?? DEFAULT_VERIFIER);
  const verifier = kind === NO_VERIFIER ? undefined : kind;
  return {
    command,
    identity,
    audience,
    verifier,
    destinations: (values.destination ?? []).map(destinationOf),
    tokenFiles: (values['token-file'] ?? []).map(tokenFileOf),
    port: portOf(values.port ?? settings.PORT, DEFAULT_PORT + index),
    path: pathOfRequest(values.path ?? '/'),
    environment: {
      ...(values.verifier !== undefined && verifier !== undefined && { K8S_AUTH_VERIFIER: verifier }),
      ...(values.audience !== undefined && { K8S_AUTH_AUDIENCE: audience }),
    },
  };
}

function groupsOf(args: readonly string[]): string[][] {
  const groups: string[][] = [[]];
  for (const argument of args) {
    if (argument === NEXT_SERVICE) groups.push([]);
    else groups.at(-1)?.push(argument);
  }
  return groups;
}

function accountOf(option: string, text: string): ServiceAccountName {
  const account = parseServiceAccountPath(text);
  if (account) return account;
  throw new UsageError(
    `${option} '${text}': expected <namespace>/<name> of a ServiceAccount, as in shop/orders`,
  );
}

/** A ServiceAccount with the name of the user's package, without its scope. */
function identityOf(directory: string): ServiceAccountName {
  const parse = (text: string) => JSON.parse(text) as { readonly name?: string };
  const name = readIfPresent(join(directory, 'package.json'), parse)?.name?.split('/').at(-1);
  return { namespace: DEFAULT_NAMESPACE, name: isServiceAccountName(name) ? name : 'my-service' };
}

/** The first audience of the service, because a token for one of them is enough. */
function audienceOf(
  option: string | undefined,
  { K8S_AUTH_AUDIENCE: variable }: Environment,
): string | undefined {
  if (option === undefined) return readAudiences(variable?.split(',')[0]?.trim())?.[0];
  const [audience] = readAudiences(option) ?? [];
  if (audience !== undefined && !audience.includes(',')) return audience;
  throw new UsageError(`--audience '${option}': expected one audience, without white space around it`);
}

function verifierOf(kind: string): string {
  const kinds = [...verifierKinds, NO_VERIFIER];
  if (kinds.includes(kind)) return kind;
  throw new UsageError(
    `--verifier '${kind}': expected one of ${kinds.join(', ')}.${didYouMean(kind, kinds)}`,
  );
}

function destinationOf(text: string): DestinationOption {
  const [, start = '', audience = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const url = parseUrl(start);
  const isOrigin = url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (isOrigin && readAudiences(audience)) return { origin: url.origin, audience };
  throw new UsageError(
    `--destination '${text}': expected <origin>=<audience>, as in http://localhost:3001=billing`,
  );
}

function tokenFileOf(text: string): TokenFileOption {
  const [, path = '', audience = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (isAbsolute(path) && readAudiences(audience)) return { path, audience };
  throw new UsageError(
    `--token-file '${text}': expected <path>=<audience>, as in /var/run/secrets/tokens/billing=billing`,
  );
}

function portOf(text: string | undefined, fallback: number, option = '--port'): number {
  const port = text === undefined ? fallback : Number(text);
  if (text === undefined || (Number.isInteger(port) && port >= 1 && port <= 65535)) return port;
  throw new UsageError(`${option} '${text}': expected a number from 1 to 65535`);
}

/** @returns `undefined` with `--no-page` */
function pagePortOf(groups: readonly Group[]): number | undefined {
  if (groups.some(({ values }) => values['no-page'])) return undefined;
  const text = groups.flatMap(({ values }) => values['page-port'] ?? []).at(-1);
  return portOf(text, 0, '--page-port');
}

function pathOfRequest(text: string): string {
  if (/^\/[!-~]*$/.test(text) && !/['"`$\\]/.test(text)) return text;
  throw new UsageError(`--path '${text}': expected the path of a route, as in /orders`);
}

function readIfPresent<T>(file: string, parse: (text: string) => T): T | undefined {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
