import { registerAs } from '@nestjs/config';
import { z } from 'zod';

// Not z.coerce, which converts an empty text to 0.
const wholeNumber = z.string().regex(/^\d+$/, 'expected a whole number').transform(Number);

const schema = z.object({
  PORT: wholeNumber.pipe(z.number().max(65535)).default(8081),
  TARGET_URL: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }),
  INTERVAL_MS: wholeNumber.pipe(z.number().min(1).max(86_400_000)).default(5000),
});

/** The settings that service1 reads from its environment, besides the variables of k8s-auth. */
export interface Service1Config {
  /** TCP port of service1's own health endpoints; 0 chooses a free port. */
  readonly port: number;
  /** URL that service1 calls. */
  readonly targetUrl: string;
  /** Time from one call to the next, in milliseconds. */
  readonly intervalMs: number;
}

/** @throws {Error} that names every invalid variable */
export function readService1Config(): Service1Config {
  const { data, error } = schema.safeParse(process.env);
  if (error) {
    const mistakes = error.issues.map(({ path, message }) => `  - ${path.join('.')}: ${message}`);
    throw new Error(`invalid environment of service1:\n${mistakes.join('\n')}`);
  }
  return { port: data.PORT, targetUrl: data.TARGET_URL, intervalMs: data.INTERVAL_MS };
}

export const service1Config = registerAs('service1', readService1Config);
