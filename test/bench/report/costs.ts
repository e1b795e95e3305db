import { type Figure } from '../figure.js';
import { formatNumber } from './format.js';
import { markdownTable } from './markdown.js';
import { allFigures, type RunResult } from './run-result.js';

/** The figures that the answers use. If a run does not have one, the answer says "not run". */
export const COST_FIGURES = {
  /** Whole tokens that one core verifies per second, without HTTP. */
  verified: { RS256: 'cold-verify.RS256.per-second', ES256: 'cold-verify.ES256.per-second' },
  bytesPerToken: { 'jwt-pubkey': 'memory.jwt-pubkey', tokenreview: 'memory.tokenreview' },
  /** Microseconds of processor time per request. */
  warmUs: (server: string) => `warm.cpu.${server}`,
  coldUs: (server: string) => `cold.cpu.${server}`,
} as const;

const VERIFIERS = ['jwt-pubkey', 'oidc-discovery', 'tokenreview', 'hybrid'];
const TOKENS = [100, 1_000, 5_000, 10_000];
const REQUESTS_PER_SECOND = 1_000;

type Run = Pick<RunResult, 'sections'>;

/** The answers for people who decide, as far as they are measured. */
export function renderCosts(run: Run): string {
  return [verifiedTable(run), coreTable(run), memoryTable(run), sidecarTable(run)].join('\n\n');
}

function verifiedTable(run: Run): string {
  const rows = Object.entries(COST_FIGURES.verified).map(([algorithm, id]) => [
    algorithm,
    show(median(run, id)),
  ]);
  return markdownTable(['algorithm', 'tokens that one core verifies per second'], rows, ['left', 'right']);
}

function coreTable(run: Run): string {
  const perCore = (id: string) => show(dividedBy(1e6, median(run, id)));
  const rows = [
    ['no guard', perCore(COST_FIGURES.warmUs('none')), ''],
    ...VERIFIERS.map((kind) => [
      `\`${kind}\``,
      perCore(COST_FIGURES.warmUs(kind)),
      perCore(COST_FIGURES.coldUs(kind)),
    ]),
  ];
  const headings = ['requests that one core serves per second', 'token seen before', 'new token'];
  return markdownTable(headings, rows, ['left', 'right', 'right']);
}

function memoryTable(run: Run): string {
  const kinds = Object.entries(COST_FIGURES.bytesPerToken);
  const memory = (bytes: number | undefined, tokens: number) =>
    show(bytes === undefined ? undefined : (bytes * tokens) / 2 ** 20, 'MiB');
  const rows = TOKENS.map((tokens) => [
    formatNumber(tokens),
    ...kinds.map(([, id]) => memory(median(run, id), tokens)),
  ]);
  const headings = ['tokens in the cache of one replica', ...kinds.map(([kind]) => `\`${kind}\``)];
  return markdownTable(
    headings,
    rows,
    headings.map(() => 'right'),
  );
}

function sidecarTable(run: Run): string {
  const none = median(run, COST_FIGURES.warmUs('none'));
  const cores = (us: number | undefined) =>
    show(us === undefined ? undefined : (us * REQUESTS_PER_SECOND) / 1e6, 'cores');
  const rows = [
    ...VERIFIERS.map((kind) => {
      const guarded = median(run, COST_FIGURES.warmUs(kind));
      return [`\`${kind}\``, cores(guarded === undefined || none === undefined ? undefined : guarded - none)];
    }),
    ['kube-rbac-proxy as a sidecar', cores(median(run, COST_FIGURES.warmUs('kube-rbac-proxy')))],
  ];
  const heading = `added by the check, at ${formatNumber(REQUESTS_PER_SECOND)} requests/s`;
  return markdownTable(['checked by', heading], rows, ['left', 'right']);
}

function median(run: Run, id: string): number | undefined {
  return allFigures(run).find((figure: Figure) => figure.id === id)?.value?.median;
}

function dividedBy(dividend: number, divisor: number | undefined): number | undefined {
  return divisor === undefined ? undefined : dividend / divisor;
}

function show(number: number | undefined, unit = ''): string {
  return number === undefined ? 'not run' : `${formatNumber(number)} ${unit}`.trimEnd();
}
