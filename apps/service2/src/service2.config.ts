import { registerAs } from '@nestjs/config';
import { z } from 'zod';

const serviceAccountPath = z
  .string()
  .regex(/^[a-z0-9-]+\/[a-z0-9.-]+$/, 'expected namespace/name, comma-separated');

// Not z.coerce, which converts an empty text to 0.
const wholeNumber = z.string().regex(/^\d+$/, 'expected a whole number').transform(Number);

const schema = z.object({
  PORT: wholeNumber.pipe(z.number().max(65535)).default(8080),
  SERVICE2_AUDIENCE: z.string().min(1).optional(),
  SERVICE2_ADMINS: z
    .string()
    .default('mytest/admin')
    .transform((text) => text.split(',').map((path) => path.trim()))
    .pipe(z.array(serviceAccountPath)),
});

/** The settings that service2 reads from its environment, besides the variables of k8s-auth. */
export interface Service2Config {
  /** TCP port; 0 chooses a free port. */
  readonly port: number;
  /** The audience that tokens of callers must be issued for; when omitted, K8S_AUTH_AUDIENCE applies. */
  readonly audience: string | undefined;
  /** ServiceAccounts, as `namespace/name`, that may use /admin. */
  readonly admins: readonly string[];
}

/** @throws {Error} that names every invalid variable */
export function readService2Config(): Service2Config {
  const { data, error } = schema.safeParse(process.env);
  if (error) {
    const mistakes = error.issues.map(({ path, message }) => `  - ${path.join('.')}: ${message}`);
    throw new Error(`invalid environment of service2:\n${mistakes.join('\n')}`);
  }
  return { port: data.PORT, audience: data.SERVICE2_AUDIENCE, admins: data.SERVICE2_ADMINS };
}

export const service2Config = registerAs('service2', readService2Config);
