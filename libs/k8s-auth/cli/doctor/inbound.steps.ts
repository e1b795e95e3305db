import { join } from 'node:path';
import { type ApiServerConnection, requireApiServer } from '../../src/api-server/api-server.connection.js';
import { type K8sAuthOptions } from '../../src/config/options.js';
import { ConfigurationError } from '../../src/errors.js';
import { findOwnApiServer } from '../../src/keys/issuer-keys.js';
import { loadPublicKeys } from '../../src/keys/public-key-files.js';
import { ApiServerAudiences } from '../../src/verifiers/api-server-audiences.js';
import { type VerifierOptions } from '../../src/verifiers/index.js';
import { DEFAULT_CLOCK_TOLERANCE_MS } from '../../src/verifiers/jwt.verifier.js';
import { findPodMount, POD_TOKEN_FILE } from '../../src/api-server/in-cluster.js';
import { examineApiServer } from './api-server.steps.js';
import { type DoctorContext, libraryContext } from './doctor-context.js';
import { issuerSteps, keysSteps } from './issuer.steps.js';
import { discoveryRightStep, tokenReviewRightStep } from './rights.steps.js';
import { type Step, stepOf } from './step.js';
import { examineTokenFile } from './token-file.steps.js';

type ApiServerVerifier = Exclude<VerifierOptions, { readonly kind: 'jwt-pubkey' }>;

/** Checks what the verifier needs, step by step. */
export async function inboundSteps(options: K8sAuthOptions, context: DoctorContext): Promise<Step[]> {
  const { verifier } = options;
  if (!verifier) return [];
  const steps =
    verifier.kind === 'jwt-pubkey'
      ? [await publicKeyStep(verifier.publicKeyFiles)]
      : await apiServerSteps(verifier, context);
  return [...steps, ...(await audienceSteps(options, context))];
}

async function publicKeyStep(files: readonly string[]): Promise<Step> {
  const step = stepOf('public-key-files');
  const { keys, mistakes } = await loadPublicKeys(files);
  if (!keys) return step.failed(`Correct K8S_AUTH_PUBLIC_KEY_FILES: ${mistakes.join('; ')}.`);
  return step.ok(`${files.join(', ')}: ${keys.length} ${keys.length === 1 ? 'key' : 'keys'} can be used.`);
}

async function apiServerSteps(options: ApiServerVerifier, context: DoctorContext): Promise<Step[]> {
  let connection: ApiServerConnection | undefined;
  try {
    connection = await findConnection(options, context);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [stepOf('api-server-address').failed(`No API server can be used: ${error.mistakes.join('; ')}.`)];
  }
  // The keys are read from the issuer's own URL.
  if (!connection) return options.kind === 'tokenreview' ? [] : keysSteps(options, undefined, context);
  const own = await ownTokenOf(options, context);
  const tolerance = 'clockToleranceMs' in options ? options.clockToleranceMs : undefined;
  const { steps, client } = await examineApiServer(
    connection,
    tolerance ?? DEFAULT_CLOCK_TOLERANCE_MS,
    context,
  );
  const before = [...own.steps, ...steps];
  if (!client) return before;
  try {
    const needsKeys = options.kind !== 'tokenreview';
    const issuerOptions = needsKeys
      ? options
      : { ...(options.apiServer && { apiServer: options.apiServer }) };
    const checksSignatures = needsKeys || options.checkSignatures !== false;
    const keys = checksSignatures ? await keysSteps(issuerOptions, own.token, context) : [];
    return [
      ...before,
      ...(options.kind === 'oidc-discovery' ? [] : [await tokenReviewRightStep(client, context)]),
      ...(checksSignatures ? [await discoveryRightStep(client, context, needsKeys)] : []),
      ...(needsKeys ? await issuerSteps(client, options, context) : []),
      // Without keys, tokenreview lets the API server review every token.
      ...keys.map((step) =>
        needsKeys || step.status !== 'failed' ? step : { ...step, status: 'warning' as const },
      ),
    ];
  } finally {
    await client.close();
  }
}

function findConnection(options: ApiServerVerifier, context: DoctorContext) {
  const found = libraryContext(context);
  return options.kind === 'tokenreview' || options.kind === 'hybrid'
    ? requireApiServer(options.apiServer, found)
    : findOwnApiServer(options, found);
}

/** The token that we call the API server with, if it is in a file. */
async function ownTokenOf(
  { apiServer = {} }: ApiServerVerifier,
  context: DoctorContext,
): Promise<{ readonly steps: readonly Step[]; readonly token?: string }> {
  const isKubeconfig =
    apiServer.kubeconfigFile !== undefined || (apiServer.url ?? context.environment.KUBECONFIG);
  const file =
    apiServer.tokenFile ??
    (isKubeconfig && apiServer.url === undefined
      ? undefined
      : (await findPodMount(context.root ?? '/')).tokenFile);
  if (file === undefined) return { steps: [] };
  const examined = await examineTokenFile(
    { file, ids: ['own-token', 'own-token-layout'], mayBeOpaque: true },
    context,
  );
  const { content, steps } = examined;
  return content?.claims ? { steps, token: content.token } : { steps };
}

/** A service must not accept tokens that the API server accepts too. */
async function audienceSteps(
  { audience, verifier, allowApiServerAudience = false }: K8sAuthOptions,
  context: DoctorContext,
): Promise<Step[]> {
  const step = stepOf('audience');
  const audiences = [audience ?? []].flat();
  if (audiences.length === 0)
    return [step.warning('K8S_AUTH_AUDIENCE is not set: each @K8sAuth must name its audience.')];
  if (allowApiServerAudience)
    return [step.warning('K8S_AUTH_ALLOW_API_SERVER_AUDIENCE is set: use it for experiments only.')];
  const issuers = verifier && 'issuer' in verifier ? [verifier.issuer ?? []].flat() : [];
  const podTokenFile = join(context.root ?? '/', POD_TOKEN_FILE);
  const rule = new ApiServerAudiences(undefined, { ...libraryContext(context), issuers, podTokenFile });
  const accepted = await rule.find();
  const wrong = audiences.filter((one) => accepted.has(one));
  if (wrong.length === 0) return [step.ok(`Tokens must be issued for ${audiences.join(' or ')}.`)];
  return [
    step.failed(
      `The API server accepts the audience ${wrong.join(', ')} too: set K8S_AUTH_AUDIENCE to a name of this service, and use the same name in the callers' projected volumes.`,
    ),
  ];
}
