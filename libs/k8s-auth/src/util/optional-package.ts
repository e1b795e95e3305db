import { ConfigurationError, type MistakePlace } from '../errors.js';
import { plainErrorOf } from './plain-error.js';

/** The optional peer dependencies of this package that it imports on first use, each with the command that installs it. @internal */
export const OPTIONAL_PACKAGES = {
  '@nestjs/axios':
    'npm install @nestjs/axios@12 axios@1", on Nest 11 with "npm install @nestjs/axios@4 axios@1',
  '@nestjs/config': 'npm install @nestjs/config@12", on Nest 11 with "npm install @nestjs/config@4',
  '@nestjs/microservices':
    'npm install @nestjs/microservices@12", on Nest 11 with "npm install @nestjs/microservices@11',
  '@nestjs/websockets':
    'npm install @nestjs/websockets@12", on Nest 11 with "npm install @nestjs/websockets@11',
  '@kubernetes/client-node': 'npm install @kubernetes/client-node@1',
  '@peculiar/x509': 'npm install --save-dev @peculiar/x509@2',
  yaml: 'npm install --save-dev yaml@2',
} as const;

/**
 * Loads an optional package when a feature first needs it. All other features work without the package.
 * @param place the option or feature that needs the package
 * @param load imports the package. It contains the name as a literal, so that compilers and bundlers find it.
 * @throws {ConfigurationError} the package is missing or cannot be loaded
 * @internal
 */
export async function importOptional<T>(
  name: keyof typeof OPTIONAL_PACKAGES,
  place: MistakePlace,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const message = `expected the package ${name}, which cannot be loaded; install it with "${OPTIONAL_PACKAGES[name]}"`;
    throw new ConfigurationError([{ place, message }], { cause: plainErrorOf(error) });
  }
}
