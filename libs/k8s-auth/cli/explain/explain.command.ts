import { parseArgs } from 'node:util';
import { processEnvironment } from '../../src/config/k8s-auth.config.js';
import { type Environment, optionsFromEnvironment } from '../../src/config/environment.js';
import { DEFAULT_MAX_TOKEN_BYTES, type K8sAuthOptions } from '../../src/config/options.js';
import { ConfigurationError } from '../../src/errors.js';
import { readAudiences } from '../../src/identity/names.js';
import { type Clock, systemClock } from '../../src/util/clock.js';
import { EXIT, UsageError } from '../command.js';
import { writeLine } from '../output.js';
import { SILENT_LOG } from '../silent-log.js';
import { explainToken } from './explain-token.js';
import { formatExplanation } from './explanation.format.js';
import { readTokenInput } from './token-input.js';

export const help = `
Usage: npx nest-k8s-auth explain [file | -] [options]

Shows every check that the guard makes of a token, in its order: what was expected, what the token holds, and the
verdict. Never prints the token or its signature. The token is read from the file, or from the standard input.

  kubectl create token checkout --audience orders | npx nest-k8s-auth explain --audience orders

The verifier is that of the variables K8S_AUTH_..., as in the service. Without K8S_AUTH_VERIFIER the token is only
decoded, and nobody vouches for what is shown.

Options:
  --audience A   the audience of the route; comma-separated for several (default: K8S_AUTH_AUDIENCE)
  --json         print one JSON document

Exit status: 0 the guard accepts the token; 1 it refuses the token, or there is no verdict; 2 wrong arguments.
`;

export interface ExplainIo {
  readonly environment: Environment;
  readonly stdin: NodeJS.ReadableStream;
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

export async function run(args: readonly string[], io: ExplainIo = processIo()): Promise<number> {
  const { source, audience, isJson } = parseArguments(args);
  const options = readOptions(io.environment);
  const token = await readTokenInput(source, io.stdin);
  const explanation = await explainToken(
    {
      token,
      audiences: readAudiences(audience ?? options.audience ?? []) ?? [],
      verifier: options.verifier,
      maxTokenBytes: options.maxTokenBytes ?? DEFAULT_MAX_TOKEN_BYTES,
    },
    { clock: io.clock, log: SILENT_LOG, environment: io.environment },
  );
  for (const line of isJson ? [JSON.stringify(explanation, undefined, 2)] : formatExplanation(explanation))
    io.write(line);
  return explanation.outcome.kind === 'accepted' ? EXIT.ok : EXIT.failure;
}

function processIo(): ExplainIo {
  return {
    environment: processEnvironment(),
    stdin: process.stdin,
    clock: systemClock,
    write: writeLine,
  };
}

function parseArguments(args: readonly string[]) {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw new UsageError('expected one file or -.');
  const audience = values.audience?.split(',').map((entry) => entry.trim());
  if (audience && !readAudiences(audience))
    throw new UsageError('--audience: expected names, not empty and not repeated.');
  return { source: positionals[0] ?? '-', audience, isJson: values.json === true };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { audience: { type: 'string' }, json: { type: 'boolean' } },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
}

/** Without a verifier, mistakes in the other variables do not matter. @throws {ConfigurationError} */
function readOptions(environment: Environment): K8sAuthOptions {
  const { options, mistakes } = optionsFromEnvironment(environment);
  if (environment.K8S_AUTH_VERIFIER !== undefined && mistakes.length > 0)
    throw new ConfigurationError(mistakes);
  return options;
}
