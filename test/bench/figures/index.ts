import { type Measurement } from '../figure.js';
import { burst } from './burst.js';
import { cold } from './cold.js';
import { coldVerify } from './cold-verify.js';
import { exactCounts } from './exact-counts.js';
import { importCost } from './import-cost.js';
import { liveTokens } from './live-tokens.js';
import { outbound } from './outbound.js';
import { popular } from './popular.js';
import { refusal } from './refusal.js';
import { reviewCalls } from './review-calls.js';
import { tokenMemory } from './token-memory.js';
import { warm } from './warm.js';
import { workers } from './workers.js';

/** All measurements, in the order of the table. */
export const measurements: readonly Measurement[] = [
  warm,
  cold,
  coldVerify,
  refusal,
  exactCounts,
  reviewCalls,
  tokenMemory,
  burst,
  workers,
  liveTokens,
  importCost,
  outbound,
  popular,
];
