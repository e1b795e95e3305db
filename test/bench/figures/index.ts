import { type Measurement } from '../figure.js';
import { burst } from './burst.js';
import { cold } from './cold.js';
import { liveTokens } from './live-tokens.js';
import { refusal } from './refusal.js';
import { warm } from './warm.js';
import { workers } from './workers.js';

/** All measurements, in the order of the table. */
export const measurements: readonly Measurement[] = [warm, cold, refusal, burst, workers, liveTokens];
