import { type Measurement } from '../figure.js';
import { cold } from './cold.js';
import { liveTokens } from './live-tokens.js';
import { refusal } from './refusal.js';
import { warm } from './warm.js';

/** All measurements, in the order of the table. */
export const measurements: readonly Measurement[] = [warm, cold, refusal, liveTokens];
