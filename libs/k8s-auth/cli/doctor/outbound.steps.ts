import { type DestinationOptions } from '../../src/outbound/destinations.options.js';
import { audiencesNamedBy, audiencesOf, USUAL_API_SERVER_AUDIENCES } from '../../src/jwt/jwt-claims.js';
import { type TokenFileContent } from '../../src/token-file/token-file.js';
import { loggable } from '../../src/util/log.js';
import { type DoctorContext } from './doctor-context.js';
import { probe, type ProbeResult } from './probe.js';
import { type Step, stepOf } from './step.js';
import { examineTokenFile } from './token-file.steps.js';

/** Checks the token file of each destination, and calls the destination without and with the token. */
export async function outboundSteps(
  destinations: readonly DestinationOptions[],
  path: string,
  context: DoctorContext,
): Promise<Step[]> {
  const steps = await Promise.all(destinations.map((one) => destinationSteps(one, path, context)));
  return steps.flat();
}

async function destinationSteps(
  { origin, tokenFile: file, audience }: DestinationOptions,
  path: string,
  context: DoctorContext,
): Promise<Step[]> {
  const ids = ['destination-token', 'destination-token-layout'] as const;
  const { steps, content } = await examineTokenFile({ file, ids, subject: origin }, context);
  const mistake = content && audienceMistake(content, file, audience);
  const examined =
    mistake === undefined ? steps : [stepOf('destination-token', origin).failed(mistake), ...steps.slice(1)];
  const reachable = stepOf('destination-reachable', origin);
  const accepts = stepOf('destination-accepts', origin);
  const url = new URL(path, origin).href;
  const open = await probe(url);
  if (open.failure !== undefined) return [...examined, reachable.failed(open.failure)];
  const answers = [...examined, reachable.ok(`${origin} answers.`)];
  if (!content || mistake !== undefined || examined[0]?.status === 'failed')
    return [...answers, accepts.skipped('There is no usable token to send.')];
  return [...answers, acceptStep(accepts, url, open, await probe(url, content.token))];
}

/** The mistakes that a caller can make with its own token; the destination refuses others. */
function audienceMistake(
  { claims = {} }: TokenFileContent,
  file: string,
  expected: string | undefined,
): string | undefined {
  const audiences = audiencesOf(claims) ?? [];
  const shown = loggable(audiences.join(', ') || 'no audience', 160);
  if (expected !== undefined && !audiences.includes(expected))
    return `${file} has a token for ${shown}, not for ${expected}: set the audience of the serviceAccountToken source to ${expected}.`;
  const { iss } = audiencesNamedBy(claims).length > 0 ? claims : {};
  if (audiences.some((one) => one === iss || USUAL_API_SERVER_AUDIENCES.includes(one)))
    return `${file} has a token for the Kubernetes API (${shown}): mount a projected volume with the audience of the destination, because the destination could act as this pod.`;
  return undefined;
}

function acceptStep(
  step: ReturnType<typeof stepOf<Step['id']>>,
  url: string,
  open: ProbeResult,
  answer: ProbeResult,
): Step {
  if (answer.failure !== undefined) return step.failed(answer.failure);
  const { status } = answer;
  if (status === 401)
    return step.failed(
      `${url} refuses the token (401): compare the audience of the token with the @K8sAuth of the destination, and read the log of the destination.`,
    );
  if (status === 503)
    return step.failed(`${url} could not decide (503): run doctor --inbound in the destination.`);
  if (open.status !== 401)
    return step.warning(
      `${url} answers ${open.status} without a token too, so it does not show whether the token is accepted: name a protected path with --path.`,
    );
  if (status === 403)
    return step.warning(
      `${url} accepts the token, but a rule of the route does not allow this caller (403).`,
    );
  return step.ok(`${url} answers 401 without the token, and ${status} with it.`);
}
