import { findOptionMistakes } from './k8s-auth.options.validate.js';
import { type K8sAuthOptions } from './k8s-auth.options.js';
import { findVerifierDefinition, verifierDefinitions, verifierKinds } from './verifiers/index.js';
import { type VerifierVariable } from './verifiers/verifier-definition.js';

/** Variables of the module itself; those of a verifier stand in its definition. */
const KIND: VerifierVariable = { option: 'verifier.kind', variable: 'K8S_AUTH_VERIFIER', type: 'text' };
const MODULE_VARIABLES: readonly VerifierVariable[] = [
  { option: 'audience', variable: 'K8S_AUTH_AUDIENCE', type: 'text' },
  {
    option: 'allowApiServerAudience',
    variable: 'K8S_AUTH_ALLOW_API_SERVER_AUDIENCE',
    type: 'boolean',
  },
];
const DESTINATIONS = 'K8S_AUTH_DESTINATIONS';
const KIND_OR_DESTINATIONS = `${KIND.variable} or ${DESTINATIONS}`;

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says, and every mistake in it, each naming its variable. @internal */
export interface EnvironmentReading {
  readonly options: K8sAuthOptions;
  readonly mistakes: readonly string[];
  /** Variables that are set and mean nothing to the chosen verifier. None of them could let anybody in. */
  readonly unused: readonly string[];
}

/** @internal */
export function optionsFromEnvironment(environment: Environment): EnvironmentReading {
  const definition = findVerifierDefinition(environment[KIND.variable]);
  const variables = [...MODULE_VARIABLES, ...(definition?.variables ?? []).map(belowVerifier)];
  const { options, wrong } = parseVariables(environment, variables);
  if (definition) setOption(options, KIND.option, definition.kind);
  else if (environment[KIND.variable] !== undefined) {
    wrong.set(KIND.variable, `expected one of ${verifierKinds.join(', ')}`);
  }
  const destinations = environment[DESTINATIONS];
  if (destinations !== undefined) options.destinations = parseDestinations(destinations);
  for (const [variable, message] of namedMistakes(options, variables)) {
    // What could not even be parsed is missing from the options: one complaint about it is enough.
    if (!wrong.has(variable) && !(variable === KIND_OR_DESTINATIONS && wrong.has(KIND.variable))) {
      wrong.set(variable, message);
    }
  }
  return {
    options: options,
    mistakes: [...wrong].map(([variable, message]) => `${variable}: ${message}`),
    unused: findUnused(environment, variables),
  };
}

function parseVariables(environment: Environment, variables: readonly VerifierVariable[]) {
  const options: Record<string, unknown> = {};
  const wrong = new Map<string, string>();
  for (const { option, variable, type } of variables) {
    const text = environment[variable];
    if (text === undefined) continue;
    const value = PARSERS[type](text);
    if (value === undefined) wrong.set(variable, `expected ${EXPECTED[type]}`);
    else setOption(options, option, value);
  }
  return { options, wrong };
}

function belowVerifier(variable: VerifierVariable): VerifierVariable {
  return { ...variable, option: `verifier.${variable.option}` };
}

const PARSERS: Record<VerifierVariable['type'], (text: string) => unknown> = {
  text: (text) => (text.trim() === '' ? undefined : text),
  list: (text) => {
    const entries = text.split(',').map((entry) => entry.trim());
    return entries.includes('') ? undefined : entries;
  },
  integer: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  boolean: (text) => ({ true: true, false: false })[text],
};

const EXPECTED: Record<VerifierVariable['type'], string> = {
  text: 'a value, not an empty one',
  list: 'one or more values, comma-separated, none of them empty',
  integer: 'a whole number',
  boolean: 'true or false',
};

/** `origin=file`, comma-separated. What does not have that form is left to the schema, which names it. */
function parseDestinations(text: string): { origin: string; tokenFile: string }[] {
  return text.split(',').map((entry) => {
    const at = entry.indexOf('=');
    return at < 0
      ? { origin: entry.trim(), tokenFile: '' }
      : { origin: entry.slice(0, at).trim(), tokenFile: entry.slice(at + 1).trim() };
  });
}

function setOption(options: Record<string, unknown>, path: string, value: unknown): void {
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0) {
    options[first] = value;
    return;
  }
  const inner = (options[first] ?? {}) as Record<string, unknown>;
  options[first] = inner;
  setOption(inner, rest.join('.'), value);
}

/** The options' mistakes under the names the reader typed. */
function namedMistakes(options: unknown, variables: readonly VerifierVariable[]): [string, string][] {
  return findOptionMistakes(options).map(({ path, message }) => {
    if (path === '') return [KIND_OR_DESTINATIONS, 'expected one of the two, or both'];
    if (path.startsWith('destinations')) {
      return [DESTINATIONS, `${message} (${path.slice('destinations'.length)}, counted from 0)`];
    }
    const option = path.replace(/\[\d+\]$/, '');
    return [variables.find((candidate) => candidate.option === option)?.variable ?? path, message];
  });
}

function findUnused(environment: Environment, used: readonly VerifierVariable[]): string[] {
  const known = new Set(
    verifierDefinitions.flatMap(({ variables }) => variables.map(({ variable }) => variable)),
  );
  for (const { variable } of used) known.delete(variable);
  return [...known].filter((variable) => environment[variable] !== undefined);
}
