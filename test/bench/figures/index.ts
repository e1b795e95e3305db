import { type Measurement } from '../figure.js';
import { coldVerify } from './cold-verify.js';
import { exactCounts } from './exact-counts.js';
import { importCost } from './import-cost.js';
import { outbound } from './outbound.js';
import { reviewCalls } from './review-calls.js';
import { tokenMemory } from './token-memory.js';

/** All measurements, in the order of the table. */
export const measurements: readonly Measurement[] = [
  exactCounts,
  coldVerify,
  tokenMemory,
  importCost,
  outbound,
  reviewCalls,
];
