import { basename, dirname } from 'node:path';
import { type TokenSourceError } from '../../src/errors.js';
import { audiencesOf, numericDateMs, type UnverifiedClaims } from '../../src/jwt/jwt-claims.js';
import { pathIfExists } from '../../src/api-server/in-cluster.js';
import { readTokenFile, type TokenFileContent } from '../../src/token-file/token-file.js';
import { readTokenFileLayout } from '../../src/token-file/token-file-layout.js';
import { subPathProblem } from '../../src/token-file/token-freshness.js';
import { loggable } from '../../src/util/log.js';
import { type DoctorContext } from './doctor-context.js';
import { durationText } from './duration.js';
import { type Step, stepOf } from './step.js';

/** A token file, and the IDs of its two steps. */
export interface ExaminedFile {
  readonly file: string;
  readonly ids: readonly [token: Step['id'], layout: Step['id']];
  /** The origin of the destination that the token is for. */
  readonly subject?: string;
  readonly mayBeOpaque?: boolean;
}

export interface TokenFileExamination {
  readonly steps: readonly Step[];
  /** `undefined`: the file has no usable token. */
  readonly content?: TokenFileContent;
}

/** Reads a token file, and tells whether Kubernetes will renew it. */
export async function examineTokenFile(
  { file, ids, subject, mayBeOpaque = false }: ExaminedFile,
  context: DoctorContext,
): Promise<TokenFileExamination> {
  const token = stepOf(ids[0], subject);
  let content: TokenFileContent;
  try {
    content = await readTokenFile(file, mayBeOpaque);
  } catch (error) {
    return { steps: [token.failed(await remedyOf(error, file))] };
  }
  const layout = await layoutStep(file, stepOf(ids[1], subject), context);
  const { claims } = content;
  if (!claims) return { content, steps: [token.ok(`${file} has a token that is not a JWT.`), layout] };
  const remainingMs = (numericDateMs(claims.exp) ?? Infinity) - context.clock.wallMs();
  if (remainingMs <= 0) {
    const message = `${file} has a token that expired ${durationText(remainingMs)} ago: restart the pod, and if it is mounted with subPath, mount the directory.`;
    return { steps: [token.failed(message), layout] };
  }
  return { content, steps: [token.ok(`${file} has a token ${describe(claims, context)}.`), layout] };
}

function describe(claims: UnverifiedClaims, { clock }: DoctorContext): string {
  const nowMs = clock.wallMs();
  const issuedAtMs = numericDateMs(claims.iat);
  const expiresAtMs = numericDateMs(claims.exp);
  return [
    `of ${loggable(String(claims.sub), 120)}`,
    `for ${loggable((audiencesOf(claims) ?? ['no audience']).join(', '), 160)}`,
    ...(issuedAtMs === undefined ? [] : [`issued ${durationText(nowMs - issuedAtMs)} ago`]),
    expiresAtMs === undefined ? 'without expiry' : `valid for ${durationText(expiresAtMs - nowMs)}`,
  ].join(', ');
}

/** One sentence about what to do. */
async function remedyOf(error: unknown, file: string): Promise<string> {
  const { reason, cause } = error as TokenSourceError;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  if (reason === 'EMPTY' || reason === 'MALFORMED')
    return `${file} holds no JWT: mount a projected volume with a serviceAccountToken source there.`;
  if (code === 'EACCES' || code === 'EPERM')
    return `${file} may not be read by this user: set fsGroup or runAsUser in the securityContext of the pod.`;
  const directory = dirname(file);
  return (await pathIfExists(directory)) === undefined
    ? `${file} is missing, and so is its directory: add a volumeMount with mountPath ${directory} to this container.`
    : `${file} is missing, but its directory exists: set the path of the serviceAccountToken source to ${basename(file)}.`;
}

type Layout = ReturnType<typeof stepOf<Step['id']>>;

/** Whether Kubernetes will renew the file. */
async function layoutStep(file: string, step: Layout, { root }: DoctorContext): Promise<Step> {
  const layout = await readTokenFileLayout(file, root);
  if (layout === 'projected') return step.ok(`${file} is in a projected volume, which Kubernetes renews.`);
  return layout === 'mounted-alone'
    ? step.failed(`${subPathProblem(file).reason}.`)
    : step.warning(
        `${file} is not in a projected volume: whoever writes it must replace it before it expires.`,
      );
}
