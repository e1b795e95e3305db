import { type Measurement } from '../figure.js';

/** All measurements, in the order of the table. */
export const measurements: readonly Measurement[] = [];
