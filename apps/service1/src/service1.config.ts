import { registerAs } from '@nestjs/config';
import { z } from 'zod';

// Not z.coerce: it makes a number of an empty text.
const wholeNumber = z.string().regex(/^\d+$/, 'expected a whole number').transform(Number);

const schema = z.object({
  PORT: wholeNumber.pipe(z.number().max(65535)).default(8081),
  TARGET_URL: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }),
  INTERVAL_MS: wholeNumber.pipe(z.number().min(1).max(86_400_000)).default(5000),
});

/** What service1 takes from its environment besides the variables of k8s-auth. */
export interface Service1Config {
  /** TCP port of its own health endpoints; 0 takes a free one. */
  readonly port: number;
  /** What it calls. */
  readonly targetUrl: string;
  /** From one call to the next, in milliseconds. */
  readonly intervalMs: number;
}

/** @throws {Error} naming every variable that is wrong */
export function readService1Config(): Service1Config {
  const { data, error } = schema.safeParse(process.env);
  if (error) {
    const mistakes = error.issues.map(({ path, message }) => `  - ${path.join('.')}: ${message}`);
    throw new Error(`invalid environment of service1:\n${mistakes.join('\n')}`);
  }
  return { port: data.PORT, targetUrl: data.TARGET_URL, intervalMs: data.INTERVAL_MS };
}

export const service1Config = registerAs('service1', readService1Config);
