import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { ConfigurationError } from '../errors.js';
import { k8sAuthConfig } from './k8s-auth.config.js';

describe('k8sAuthConfig', () => {
  const before = { ...process.env };
  let warnings: unknown[];

  beforeEach(() => {
    warnings = [];
    Logger.overrideLogger({
      log: () => undefined,
      error: () => undefined,
      warn: (event: unknown) => void warnings.push(event),
    });
  });
  afterEach(() => {
    process.env = { ...before };
    Logger.overrideLogger(['log', 'warn', 'error']);
  });

  it('reads the process environment', () => {
    process.env = { K8S_AUTH_VERIFIER: 'oidc-discovery', K8S_AUTH_AUDIENCE: 'orders' };
    expect(k8sAuthConfig()).toEqual({ verifier: { kind: 'oidc-discovery' }, audience: 'orders' });
    expect(warnings).toEqual([]);
  });

  it('throws one error with every mistake', () => {
    process.env = { K8S_AUTH_VERIFIER: 'jwt-pubkey', K8S_AUTH_CLOCK_TOLERANCE_MS: 'x' };
    expect(() => k8sAuthConfig()).toThrow(ConfigurationError);
    expect(() => k8sAuthConfig()).toThrow(/CLOCK_TOLERANCE_MS[^]*K8S_AUTH_ISSUER[^]*PUBLIC_KEY_FILES/);
  });

  it('warns about variables that the verifier does not use', () => {
    process.env = { K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_ISSUER: 'https://issuer.example' };
    expect(k8sAuthConfig()).toEqual({ verifier: { kind: 'tokenreview' } });
    expect(warnings).toEqual([expect.objectContaining({ variables: ['K8S_AUTH_ISSUER'] })]);
  });

  it('warns about variables of verifiers when no verifier is set', () => {
    process.env = { K8S_AUTH_DESTINATIONS: 'http://a.svc=/token', K8S_AUTH_ISSUER: 'https://issuer.example' };
    k8sAuthConfig();
    expect(warnings).toEqual([
      expect.objectContaining({ message: expect.stringContaining('(none)') as unknown }),
    ]);
  });

  it('warns about a misspelt variable also if startup fails because of it', () => {
    process.env = { K8S_AUTH_VERIFER: 'hybrid' };
    expect(() => k8sAuthConfig()).toThrow(ConfigurationError);
    expect(warnings).toEqual([
      expect.objectContaining({
        variables: ['K8S_AUTH_VERIFER'],
        didYouMean: { K8S_AUTH_VERIFER: 'K8S_AUTH_VERIFIER' },
      }),
    ]);
  });

  it('has the properties that registerAs of @nestjs/config defines', async () => {
    const expected = registerAs('k8sAuth', () => ({}));
    const propertiesOf = (factory: object) => {
      const { length: _length, name: _name, ...properties } = Object.getOwnPropertyDescriptors(factory);
      return JSON.parse(JSON.stringify(properties)) as unknown;
    };
    expect(propertiesOf(k8sAuthConfig)).toEqual(propertiesOf(expected));
    const { imports, inject, useFactory } = k8sAuthConfig.asProvider();
    expect(inject).toEqual(expected.asProvider().inject);
    const imported = await Promise.resolve(imports[0]);
    expect(imported).toMatchObject({ module: ConfigModule, exports: [expect.anything(), inject[0]] });
    const options = { audience: 'orders' };
    expect(useFactory(options)).toBe(options);
  });
});
