import { availableParallelism, cpus } from 'node:os';
import { pinning } from '../support/pin.js';
import { type Machine } from './run-result.js';

/** What a reader needs to know to compare two runs. The name of the machine is not part of it. */
export function describeMachine(rounds: number): Machine {
  return {
    node: process.versions.node,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    pinning,
    rounds,
    measuredOn: new Date().toISOString().slice(0, 10),
  };
}
