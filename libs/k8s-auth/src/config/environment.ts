import { AUDIENCE_RULE } from '../identity/names.js';
import { findOptionMistakes, type K8sAuthOptions } from './options.js';
import { findSimilarName } from '../util/did-you-mean.js';
import { findVerifierDefinition, verifierDefinitions, verifierKinds } from '../verifiers/index.js';
import { type VerifierVariable } from '../verifiers/verifier.js';

/** A variable of the module or of a verifier. */
type Variable = Omit<VerifierVariable, 'type'> & {
  readonly type: VerifierVariable['type'] | 'destinations' | 'audience';
};

/** The variables of the module itself. The variables of a verifier are in its definition. */
const KIND: Variable = { option: 'verifier.kind', variable: 'K8S_AUTH_VERIFIER', type: 'text' };
const DESTINATIONS = 'K8S_AUTH_DESTINATIONS';
const MODULE_VARIABLES: readonly Variable[] = [
  { option: 'audience', variable: 'K8S_AUTH_AUDIENCE', type: 'audience' },
  { option: 'destinations', variable: DESTINATIONS, type: 'destinations' },
  {
    option: 'allowApiServerAudience',
    variable: 'K8S_AUTH_ALLOW_API_SERVER_AUDIENCE',
    type: 'boolean',
  },
  { option: 'enforce', variable: 'K8S_AUTH_ENFORCE', type: 'boolean' },
  { option: 'auditLog', variable: 'K8S_AUTH_AUDIT_LOG', type: 'boolean' },
];
const PREFIX = 'K8S_AUTH_';
// Kubernetes sets these in a pod if the pod's namespace has a Service with the name k8s-auth.
const KUBERNETES_SERVICE_VARIABLE = /^K8S_AUTH_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)/;
const KIND_OR_DESTINATIONS = `${KIND.variable} or ${DESTINATIONS}`;

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The options that the environment sets, and every mistake in it. Each mistake names its variable. @internal */
export interface EnvironmentReading {
  readonly options: K8sAuthOptions;
  readonly mistakes: readonly string[];
  /** Variables that are set but have no effect with the chosen verifier, or with any. Ignoring them never allows a caller. */
  readonly unused: readonly string[];
  /** Name that is no variable of this library -> the variable that was probably meant and is not set. */
  readonly suggestions: Readonly<Record<string, string>>;
}

/** @internal */
export function optionsFromEnvironment(environment: Environment): EnvironmentReading {
  const kind = environment[KIND.variable];
  const definition = findVerifierDefinition(kind);
  const variables = [...MODULE_VARIABLES, ...variablesOfVerifier(kind).map(prefixWithVerifier)];
  const { options, unparsed } = parseVariables(environment, variables);
  if (definition) setOption(options, KIND.option, definition.kind);
  else if (kind !== undefined) {
    unparsed.set(KIND.variable, `expected one of ${verifierKinds.join(', ')}`);
  }
  // A variable that could not be parsed is missing from the options. It is not reported a second time as missing.
  const isAlreadyReported = (variable: string) =>
    unparsed.has(variable) ||
    (variable === KIND_OR_DESTINATIONS && (unparsed.has(KIND.variable) || unparsed.has(DESTINATIONS)));
  const invalid = namedMistakes(options, [KIND, ...variables]).filter(
    ([variable]) => !isAlreadyReported(variable),
  );
  const mistakes = [...unparsed, ...invalid];
  const suggestions = findSuggestions(environment);
  // A misspelt name alone is only a warning, but it may be the reason for the other mistakes.
  const misspelt = Object.entries(mistakes.length > 0 ? suggestions : {}).map(([name, meant]) => [
    name,
    `expected the name of a variable of this library; did you mean ${meant}?`,
  ]);
  return {
    options,
    mistakes: [...mistakes, ...misspelt].map(([variable, message]) => `${variable}: ${message}`),
    unused: [...new Set([...findUnused(environment, variables), ...Object.keys(suggestions)])],
    suggestions,
  };
}

function findSuggestions(environment: Environment): Record<string, string> {
  const ofVerifiers = verifierDefinitions.flatMap(({ variables }): readonly VerifierVariable[] => variables);
  const known = [KIND, ...MODULE_VARIABLES, ...ofVerifiers].map(({ variable }) => variable);
  const missing = [...new Set(known)].filter((variable) => environment[variable] === undefined);
  return Object.fromEntries(
    Object.keys(environment)
      .filter((name) => environment[name] !== undefined && !known.includes(name))
      .map((name) => [name, findSimilarName(name, missing)])
      .filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

function parseVariables(environment: Environment, variables: readonly Variable[]) {
  const options: Record<string, unknown> = {};
  const unparsed = new Map<string, string>();
  for (const { option, variable, type } of variables) {
    const text = environment[variable];
    if (text === undefined) continue;
    const value = PARSERS[type](text);
    if (value === undefined) unparsed.set(variable, `expected ${EXPECTED[type]}`);
    else setOption(options, option, value);
  }
  return { options, unparsed };
}

/** If the kind is invalid: the variables of all verifiers, so that values that cannot be parsed are reported in the same error. */
function variablesOfVerifier(kind: string | undefined): readonly VerifierVariable[] {
  const kinds = kind === undefined || verifierKinds.includes(kind) ? [kind] : verifierKinds;
  const all = kinds.flatMap((one) => findVerifierDefinition(one)?.variables ?? []);
  return [...new Map(all.map((variable) => [variable.variable, variable])).values()];
}

function prefixWithVerifier(variable: VerifierVariable): VerifierVariable {
  return { ...variable, option: `verifier.${variable.option}` };
}

const PARSERS: Record<Variable['type'], (text: string) => unknown> = {
  destinations: parseDestinations,
  text: (text) => (text.trim() === '' ? undefined : text),
  list: parseList,
  audience: (text) => {
    // The entries are not checked here: the schema of the options does that.
    const audiences = text.split(',').map((entry) => entry.trim());
    return audiences.length === 1 ? audiences[0] : audiences;
  },
  integer: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  boolean: (text) => ({ true: true, false: false })[text],
};

const EXPECTED: Record<Variable['type'], string> = {
  destinations: 'origin=file, comma-separated',
  text: 'a value that is not empty',
  audience: AUDIENCE_RULE,
  list: 'one or more comma-separated values, none of them empty',
  integer: 'a whole number',
  boolean: 'true or false',
};

function parseList(text: string): string[] | undefined {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries.includes('') ? undefined : entries;
}

function parseDestinations(text: string): { origin: string; tokenFile: string }[] | undefined {
  const entries = text.split(',').map((entry) => entry.trim());
  if (!entries.every((entry) => /^[^=]+=.+$/.test(entry))) return undefined;
  return entries.map((entry) => {
    const end = entry.indexOf('=');
    return { origin: entry.slice(0, end).trim(), tokenFile: entry.slice(end + 1).trim() };
  });
}

function setOption(options: Record<string, unknown>, path: string, value: unknown): void {
  const end = path.indexOf('.');
  if (end < 0) {
    options[path] = value;
    return;
  }
  const first = path.slice(0, end);
  const inner = (options[first] ?? {}) as Record<string, unknown>;
  options[first] = inner;
  setOption(inner, path.slice(end + 1), value);
}

/** The mistakes in the options, under the names of the variables that the user has set. */
function namedMistakes(options: unknown, variables: readonly Variable[]): [string, string][] {
  return findOptionMistakes(options).map(({ path, message }) => {
    if (path === '') return [KIND_OR_DESTINATIONS, 'expected at least one of the two'];
    const [, option = path, place = ''] = /^([^[]+)(\[.*)$/.exec(path) ?? [];
    const { variable } = variables.find((candidate) => candidate.option === option) ?? { variable: path };
    return [variable, place === '' ? message : `${message} (in ${place}, counted from 0)`];
  });
}

function findUnused(environment: Environment, used: readonly Variable[]): string[] {
  const usedNames = new Set([KIND, ...used].map(({ variable }) => variable));
  return Object.keys(environment).filter(
    (variable) =>
      variable.startsWith(PREFIX) &&
      environment[variable] !== undefined &&
      !usedNames.has(variable) &&
      !KUBERNETES_SERVICE_VARIABLE.test(variable),
  );
}
