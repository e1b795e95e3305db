import { type ApiServerClient } from '../../src/api-server/api-server.client.js';
import { parseCompactJws } from '../../src/jwt/compact-jws.js';
import { clusterIssuerOf, ownReader } from '../../src/keys/api-server.key-source.js';
import { METADATA_PATH, readIssuerMetadata } from '../../src/keys/issuer.key-source.js';
import { type IssuerKeysOptions, issuersOf } from '../../src/keys/issuer-keys.options.js';
import { openIssuerKeys } from '../../src/keys/issuer-keys.js';
import { type KeyProvider } from '../../src/keys/key-provider.js';
import { describeError, loggable } from '../../src/util/log.js';
import { startDeadline } from '../../src/util/timers.js';
import { type DoctorContext, libraryContext, REQUEST_TIMEOUT_MS } from './doctor-context.js';
import { type Step, stepOf } from './step.js';

/** Compares the issuers that the options, our own token and the metadata of the API server name. */
export async function issuerSteps(
  client: ApiServerClient,
  { issuer: configured, jwksUri: configuredUri }: IssuerKeysOptions,
  context: DoctorContext,
): Promise<Step[]> {
  const step = stepOf('issuer');
  const deadline = startDeadline(context.clock, REQUEST_TIMEOUT_MS);
  try {
    const read = ownReader(client, (url) => new URL(url).pathname);
    const { issuer, jwksUri } = await readIssuerMetadata(
      `https://any.invalid${METADATA_PATH}`,
      read,
      deadline,
    );
    const own = clusterIssuerOf(await client.ownClaims());
    const expected = configured === undefined ? own && [own] : issuersOf(configured);
    const named = loggable(issuer);
    if (expected && !expected.includes(issuer)) {
      const source = configured === undefined ? 'our own token' : 'K8S_AUTH_ISSUER';
      return [
        step.failed(
          `The API server names the issuer ${named}, but ${source} names ${expected.map((one) => loggable(one)).join(', ')}: set K8S_AUTH_ISSUER to the "iss" of the callers' tokens, character for character.`,
        ),
      ];
    }
    return [step.ok(`The issuer is ${named}.`), jwksUriStep(jwksUri, configuredUri)];
  } catch (error) {
    return [step.failed(`The issuer metadata of the API server cannot be read: ${describeError(error)}.`)];
  } finally {
    deadline.cancel();
  }
}

function jwksUriStep(named: string, configured: string | undefined): Step {
  const step = stepOf('jwks-uri');
  if (configured !== undefined)
    return step.ok('The keys are read from K8S_AUTH_JWKS_URI; the metadata is not used.');
  const host = loggable(new URL(named).host, 100);
  return step.ok(`"jwks_uri" names ${host}; the keys are read from the API server all the same.`);
}

const ALGORITHMS = ['RS256', 'ES256', 'ES384', 'ES512'];

/**
 * Fetches the keys as the verifier does, and looks for the key that has signed our own token.
 * @param ownToken our own token, if it is a JWT
 */
export async function keysSteps(
  options: IssuerKeysOptions,
  ownToken: string | undefined,
  context: DoctorContext,
): Promise<Step[]> {
  const step = stepOf('keys');
  const { keys, close } = await openIssuerKeys(options, libraryContext(context));
  try {
    const issuers = await keys.issuers();
    const found = await Promise.all(
      issuers.flatMap((issuer) => ALGORITHMS.map(async (alg) => keys.find({ alg }, issuer))),
    );
    const count = new Set(found.flat().map(({ keyId }) => keyId)).size;
    if (count === 0) return [step.failed('The key set is empty: ask the administrator of the cluster.')];
    return [
      step.ok(
        `${count} ${count === 1 ? 'key' : 'keys'} of ${issuers.map((one) => loggable(one)).join(', ')} can be used.`,
      ),
      ...(ownToken === undefined ? [] : [await externalSignerStep(keys, issuers, ownToken)]),
    ];
  } catch (error) {
    return [step.failed(`The keys cannot be fetched: ${describeError(error)}.`)];
  } finally {
    await close();
  }
}

async function externalSignerStep(
  keys: KeyProvider,
  issuers: readonly string[],
  token: string,
): Promise<Step> {
  const step = stepOf('external-signer');
  const { unverifiedHeader, unverifiedClaims } = parseCompactJws(token);
  const { iss } = unverifiedClaims;
  if (typeof iss !== 'string' || !issuers.includes(iss))
    return step.skipped('Our own token is of another issuer, so it does not show which keys sign.');
  const candidates = await keys.find(unverifiedHeader, iss);
  if (candidates.length > 0) return step.ok('The key that has signed our own token is published.');
  return step.failed(
    'The key that has signed our own token is not published, as with an external signer: publish it, or use the verifier tokenreview with K8S_AUTH_CHECK_SIGNATURES=false.',
  );
}
