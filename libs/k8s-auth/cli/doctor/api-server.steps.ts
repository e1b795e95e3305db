import { ApiServerClient } from '../../src/api-server/api-server.client.js';
import { type ApiServerConnection } from '../../src/api-server/api-server.connection.js';
import { clockOffsetMs } from '../../src/api-server/own-api-server.js';
import { OwnCredentialRefusedError, readOwnUserName } from '../../src/api-server/own-credential.js';
import { isTrustFailure } from '../../src/http/tls-files.js';
import { type HttpsResponse } from '../../src/http/https-client.js';
import { METADATA_PATH } from '../../src/keys/issuer.key-source.js';
import { DOCUMENT_ACCEPT } from '../../src/keys/key-source.js';
import { describeError } from '../../src/util/log.js';
import { startDeadline } from '../../src/util/timers.js';
import { type DoctorContext, libraryContext, REQUEST_TIMEOUT_MS } from './doctor-context.js';
import { durationText } from './duration.js';
import { type Step, stepOf } from './step.js';

export interface ApiServerExamination {
  readonly steps: readonly Step[];
  /** `undefined`: the API server does not answer, or refuses our credential. */
  readonly client?: ApiServerClient;
}

/** Sends one request: is the API server reachable, is its certificate trusted, does it accept our credential? */
export async function examineApiServer(
  connection: ApiServerConnection,
  clockToleranceMs: number,
  context: DoctorContext,
): Promise<ApiServerExamination> {
  const client = new ApiServerClient(connection, libraryContext(context));
  const { url, description } = connection;
  const address = stepOf('api-server-address').ok(`The API server is ${url}, from ${description}.`);
  try {
    const sentMs = context.clock.wallMs();
    const response = await ask(client, context);
    const offsetMs = clockOffsetMs(response.header('date'), { sentMs, receivedMs: context.clock.wallMs() });
    const user = await readOwnUserName(client);
    const steps = [
      address,
      stepOf('api-server-reachable').ok(`${url} answers.`),
      stepOf('api-server-ca').ok('Its certificate is trusted.'),
      stepOf('own-credential').ok(`It accepts the credential of ${user}.`),
      clockStep(offsetMs, clockToleranceMs),
    ];
    return { client, steps };
  } catch (error) {
    await client.close();
    return { steps: [address, ...failureSteps(error, url)] };
  }
}

function ask(client: ApiServerClient, { clock }: DoctorContext): Promise<HttpsResponse> {
  const deadline = startDeadline(clock, REQUEST_TIMEOUT_MS);
  const call = {
    method: 'GET',
    path: METADATA_PATH,
    accept: DOCUMENT_ACCEPT,
    retry: false,
    deadline,
  } as const;
  return client.request(call).finally(() => deadline.cancel());
}

function failureSteps(error: unknown, url: string): Step[] {
  const reachable = stepOf('api-server-reachable');
  if (error instanceof OwnCredentialRefusedError)
    return [
      reachable.ok(`${url} answers.`),
      stepOf('own-credential').failed(
        `${url} refuses our own credential (401): restart the pod for a new token, or renew the login of the kubeconfig, and check that the token is of this cluster.`,
      ),
    ];
  const failures = chainOf(error);
  if (failures.some(isTrustFailure))
    return [
      reachable.ok(`${url} accepts connections.`),
      stepOf('api-server-ca').failed(
        `The certificate of ${url} is not trusted: set K8S_AUTH_API_SERVER_CA_FILE to the CA of the cluster, or correct the host of the URL (${describeError(failures.at(-1))}).`,
      ),
    ];
  return [
    reachable.failed(
      `${url} cannot be reached: check the address, and that NetworkPolicies and firewalls allow it (${describeError(error)}).`,
    ),
  ];
}

/** The error and its causes. */
function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one !== undefined && chain.length < 5; one = (one as { cause?: unknown }).cause)
    chain.push(one);
  return chain;
}

/** Compares our clock with the `Date` of an answer. The tokens of callers are checked with our clock. */
function clockStep(aheadMs: number | undefined, toleranceMs: number): Step {
  const step = stepOf('clock');
  if (aheadMs === undefined)
    return step.warning('The answer of the API server has no Date, so the clock cannot be compared.');
  if (aheadMs === 0) return step.ok('Our clock agrees with that of the API server.');
  const distanceMs = Math.abs(aheadMs);
  const text = `Our clock is ${durationText(aheadMs)} ${aheadMs > 0 ? 'ahead of' : 'behind'} that of the API server`;
  if (distanceMs > toleranceMs)
    return step.failed(
      `${text}, more than the tolerance of ${toleranceMs} ms: synchronize the clock of this node (NTP).`,
    );
  if (distanceMs > toleranceMs / 2) return step.warning(`${text}: synchronize the clock of this node (NTP).`);
  return step.ok(`${text}, within the tolerance of ${toleranceMs} ms.`);
}
