import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';

const STEP_MS = 20 * 60_000;

/**
 * Runs a program to its end.
 * @param {{ cwd: string, path?: string[], env?: Record<string, string> }} options `path`: folders before those of PATH
 * @returns its output
 * @throws {Error} it failed, or took too long; the message is the output
 */
export async function execute(program, args, options) {
  const child = spawn(program, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: STEP_MS,
    shell: process.platform === 'win32',
    env: environment(options),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (code !== 0) throw new Error(output || `${program} ended with ${code}`);
  return output;
}

/** npm sets variables for the scripts of this repository, which would change what npm does in another folder. */
export function environment({ path = [], env = {} }) {
  const own = Object.entries(process.env).filter(
    ([key]) => !/^npm_(package|lifecycle|config_(?!registry$))/.test(key),
  );
  return {
    ...Object.fromEntries(own),
    ...env,
    PATH: [...path, process.env.PATH].join(delimiter),
  };
}
