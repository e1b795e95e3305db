/** What `doctor` checks. Each ID is stable, and is an anchor of docs/doctor.md. */
export const STEP_IDS = [
  'configuration',
  'audience',
  'api-server-address',
  'own-token',
  'own-token-layout',
  'api-server-reachable',
  'api-server-ca',
  'own-credential',
  'clock',
  'right-tokenreviews',
  'right-discovery',
  'issuer',
  'jwks-uri',
  'keys',
  'external-signer',
  'public-key-files',
  'destination-token',
  'destination-token-layout',
  'destination-reachable',
  'destination-accepts',
] as const;

export type StepId = (typeof STEP_IDS)[number];

/**
 * - `warning`: works, but not as intended, or cannot be told.
 * - `failed`: the service refuses requests, or cannot send them.
 * - `skipped`: cannot be checked, because an earlier step failed.
 */
export type StepStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** The result of one step. Contains no token text. */
export interface Step<Id extends string = StepId> {
  readonly id: Id;
  readonly status: StepStatus;
  /** What the step is about, such as the origin of a destination. */
  readonly subject?: string;
  /** One sentence: what was found, and if it is a problem, what to do. */
  readonly message: string;
}

/** Makes the steps of one ID. @internal */
export function stepOf<Id extends string>(id: Id, subject?: string) {
  const make =
    (status: StepStatus) =>
    (message: string): Step<Id> => ({
      id,
      status,
      ...(subject !== undefined && { subject }),
      message,
    });
  return { ok: make('ok'), warning: make('warning'), failed: make('failed'), skipped: make('skipped') };
}

/** Whether a command that ran these steps exits with an error. @internal */
export function hasFailed(steps: readonly Pick<Step, 'status'>[]): boolean {
  return steps.some(({ status }) => status === 'failed');
}
