import { type Step, stepOf } from '../step.js';

/** What `doctor --manifests` checks. Each ID is stable, and is an anchor of docs/doctor.md. */
export const MANIFEST_STEP_IDS = [
  'manifest-configuration',
  'manifest-mount',
  'manifest-sub-path',
  'manifest-destination',
  'manifest-audience',
  'manifest-namespace',
  'manifest-service-account',
  'manifest-role',
  'manifest-automount',
] as const;

export type ManifestStepId = (typeof MANIFEST_STEP_IDS)[number];

export type ManifestStep = Step<ManifestStepId>;

/** @param subject the workload @internal */
export function manifestStep(id: ManifestStepId, subject: string) {
  return stepOf<ManifestStepId>(id, subject);
}
