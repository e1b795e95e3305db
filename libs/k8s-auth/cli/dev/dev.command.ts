import { EXIT } from '../command.js';
import { writeError } from '../output.js';

export const help = 'Usage: npx nest-k8s-auth dev [options] -- <command>';

export function run(): Promise<number> {
  writeError('dev is being built');
  return Promise.resolve(EXIT.failure);
}
