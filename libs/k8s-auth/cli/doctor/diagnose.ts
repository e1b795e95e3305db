import { type Environment, optionsFromEnvironment } from '../../src/config/environment.js';
import { type K8sAuthOptions } from '../../src/config/options.js';
import { type DoctorContext } from './doctor-context.js';
import { inboundSteps } from './inbound.steps.js';
import { outboundSteps } from './outbound.steps.js';
import { countOf } from './report.format.js';
import { type Step, stepOf } from './step.js';

export interface Diagnosis {
  /** What to check. @default both, as far as they are configured */
  readonly only?: 'inbound' | 'outbound' | undefined;
  /** The path that is called at each destination. */
  readonly path: string;
}

/** Checks everything that the configuration needs, as far as it can be read. */
export async function diagnose({ only, path }: Diagnosis, context: DoctorContext): Promise<Step[]> {
  const { options, steps, isValid } = readConfiguration(context.environment, only);
  if (!isValid) return steps;
  return [
    ...steps,
    ...(only === 'outbound' ? [] : await inboundSteps(options, context)),
    ...(only === 'inbound' ? [] : await outboundSteps(options.destinations ?? [], path, context)),
  ];
}

function readConfiguration(
  environment: Environment,
  only: Diagnosis['only'],
): { readonly options: K8sAuthOptions; readonly steps: Step[]; readonly isValid: boolean } {
  const step = stepOf('configuration');
  const { options, mistakes, unused } = optionsFromEnvironment(environment);
  const missing = [
    ...(only === 'inbound' && !options.verifier ? ['K8S_AUTH_VERIFIER: is not set'] : []),
    ...(only === 'outbound' && !options.destinations ? ['K8S_AUTH_DESTINATIONS: is not set'] : []),
  ];
  if (!Object.keys(environment).some((name) => name.startsWith('K8S_AUTH_'))) {
    const message =
      'No variable K8S_AUTH_... is set: set those that describe the service, even if it uses forRoot and does not read them.';
    return { options, isValid: false, steps: [step.failed(message)] };
  }
  const problems = [...new Set([...mistakes, ...missing])];
  if (problems.length > 0)
    return {
      options,
      isValid: false,
      steps: [step.failed(`Correct the variables of this container: ${problems.join('; ')}.`)],
    };
  const warnings = unused.map((name) => step.warning(`Remove the variable ${name}: it has no effect.`));
  const parts = [
    ...(options.verifier ? [`the verifier ${options.verifier.kind}`] : []),
    ...(options.destinations ? [countOf(options.destinations.length, 'destination')] : []),
  ];
  return {
    options,
    isValid: true,
    steps: [step.ok(`The variables describe ${parts.join(' and ')}.`), ...warnings],
  };
}
