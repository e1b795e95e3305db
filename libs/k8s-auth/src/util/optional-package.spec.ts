import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../errors.js';
import { importOptional, OPTIONAL_PACKAGES } from './optional-package.js';

/** The packages that an entry of its own imports, such as `nest-k8s-auth/terminus`. Nothing imports them on first use. */
const OF_AN_ENTRY = ['@nestjs/terminus', '@opentelemetry/api', 'prom-client'];

const missing = () =>
  Promise.reject(new Error("Cannot find package 'x', with eyJhbGciOiJFUzI1NiJ9.e30.c2ln"));

describe('importOptional', () => {
  it('returns the package', async () => {
    expect(await importOptional('@peculiar/x509', 'LocalCluster', () => Promise.resolve('loaded'))).toBe(
      'loaded',
    );
  });

  it.each([
    ['@peculiar/x509', 'npm install --save-dev @peculiar/x509@2'],
    ['@kubernetes/client-node', 'npm install @kubernetes/client-node@1'],
    [
      '@nestjs/axios',
      'npm install @nestjs/axios@12 axios@1", on Nest 11 with "npm install @nestjs/axios@4 axios@1',
    ],
  ] as const)('names the command that installs %s when it is missing', async (name, command) => {
    const error: unknown = await importOptional(name, 'the feature', missing).catch(
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID',
      mistakes: [
        `the feature: expected the package ${name}, which cannot be loaded; install it with "${command}"`,
      ],
      cause: expect.objectContaining({ message: expect.stringContaining('[token]') }),
    });
  });

  it('knows the packages that the library does not install, in the versions that it declares', () => {
    const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(text) as {
      peerDependencies: Record<string, string>;
      peerDependenciesMeta: Record<string, { optional: true }>;
    };
    const declared = Object.keys(peerDependenciesMeta)
      .filter((name) => !OF_AN_ENTRY.includes(name))
      .flatMap((name) =>
        [...(peerDependencies[name] ?? '').matchAll(/\^(\d+)/g)].map(([, major]) => `${name}@${major}`),
      );
    const installed = Object.values(OPTIONAL_PACKAGES)
      .join(' ')
      .match(/\S+@\d+/g);
    expect(new Set(installed)).toEqual(new Set(declared));
  });
});
