import { formatNumber } from './format.js';
import { markdownTable } from './markdown.js';
import {
  DOCUMENTS_PER_SECOND,
  MAX_TOKENS,
  maxReviewsPerSecond,
  reviewsPerSecond,
  type ReviewingVerifier,
  ROTATION_SECONDS,
} from './review-load.js';

const REPLICAS = [2, 10, 100, 1_000];
const CALLERS = [10, 100, 1_000, 10_000];
const HEADINGS = [
  'N',
  'M',
  '`tokenreview`, r = 1',
  '`hybrid`, r = 1',
  '`tokenreview`, limit',
  '`hybrid`, limit',
  'documents, `oidc-discovery`',
];

/** TokenReviews per second. Calculated, not measured: a unit test compares the page with this table. */
export function reviewLoadTable(): string {
  const rows = REPLICAS.flatMap((replicas) =>
    CALLERS.map((callers) => {
      const load = { replicas, callers, rotationSeconds: ROTATION_SECONDS, requestsPerSecond: 1 };
      return [
        ...[replicas, callers].map(formatNumber),
        ...(['tokenreview', 'hybrid'] as const).map((verifier) =>
          formatNumber(reviewsPerSecond(verifier, load)),
        ),
        ...(['tokenreview', 'hybrid'] as const).map((verifier) => limitOf(verifier, load)),
        formatNumber(replicas * DOCUMENTS_PER_SECOND),
      ];
    }),
  );
  return markdownTable(
    HEADINGS,
    rows,
    HEADINGS.map(() => 'right'),
  );
}

function limitOf(verifier: ReviewingVerifier, load: Parameters<typeof maxReviewsPerSecond>[1]): string {
  if (load.callers > MAX_TOKENS[verifier]) return 'all requests';
  return formatNumber(maxReviewsPerSecond(verifier, load));
}
