import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import {
  ConfigurationError,
  ForbiddenPrincipalError,
  InvalidTokenError,
  type InvalidTokenReason,
  K8sAuthError,
  MalformedCredentialsError,
  MissingTokenError,
  type TokenFileReason,
  TokenSourceError,
  UndecoratedRouteError,
  UnsupportedContextError,
  VerifierUnavailableError,
} from './errors.js';

const REASONS: InvalidTokenReason[] = [
  'MALFORMED',
  'SIGNATURE',
  'EXPIRED',
  'NOT_YET_VALID',
  'ISSUER',
  'AUDIENCE',
  'REJECTED',
];
const FILE_REASONS: TokenFileReason[] = ['UNREADABLE', 'EMPTY', 'MALFORMED', 'AUDIENCE', 'EXPIRED'];
const cause = new Error('the cause');

describe('the tree of errors', () => {
  it.each<[string, string, K8sAuthError]>([
    ['MissingTokenError', 'TOKEN_MISSING', new MissingTokenError('words', { cause })],
    ['MalformedCredentialsError', 'CREDENTIALS_MALFORMED', new MalformedCredentialsError('words', { cause })],
    ['ForbiddenPrincipalError', 'PRINCIPAL_FORBIDDEN', new ForbiddenPrincipalError('words', { cause })],
    ['UndecoratedRouteError', 'ROUTE_UNDECORATED', new UndecoratedRouteError('words', { cause })],
    ['UnsupportedContextError', 'CONTEXT_UNSUPPORTED', new UnsupportedContextError('words', { cause })],
    ['VerifierUnavailableError', 'VERIFIER_UNAVAILABLE', new VerifierUnavailableError('words', { cause })],
    ...REASONS.map((reason): [string, string, K8sAuthError] => [
      'InvalidTokenError',
      `TOKEN_${reason}`,
      new InvalidTokenError(reason, 'words', { cause }),
    ]),
    ...FILE_REASONS.map((reason): [string, string, K8sAuthError] => [
      'TokenSourceError',
      `TOKEN_FILE_${reason}`,
      new TokenSourceError(reason, '/var/run/token', 'words', { cause }),
    ]),
  ])('%s %s', (name, suffix, error) => {
    expect(error).toBeInstanceOf(K8sAuthError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name, code: `ERR_K8S_AUTH_${suffix}`, message: 'words', cause });
    expect(inspect(error)).toContain(`ERR_K8S_AUTH_${suffix}`);
  });

  it('keeps the fields that users of the library may read', () => {
    expect(new InvalidTokenError('ISSUER', 'words').reason).toBe('ISSUER');
    expect(new TokenSourceError('EMPTY', '/a/file', 'words')).toMatchObject({
      reason: 'EMPTY',
      trouble: 'EMPTY',
      tokenFile: '/a/file',
    });
    expect(new VerifierUnavailableError('words').retryAfterMs).toBe(1_000);
    expect(new VerifierUnavailableError('words', { retryAfterMs: 0 }).retryAfterMs).toBe(0);
  });

  it('has no cause property when there is no cause', () => {
    for (const error of [
      new VerifierUnavailableError('words', { cause: undefined }),
      new InvalidTokenError('ISSUER', 'w'),
    ]) {
      expect(Object.hasOwn(error, 'cause')).toBe(false);
      expect(inspect(error)).not.toContain('undefined');
    }
  });

  it.each([
    ['MissingTokenError', false, () => new MissingTokenError('words')],
    ['MalformedCredentialsError', false, () => new MalformedCredentialsError('words')],
    ['InvalidTokenError', false, () => new InvalidTokenError('ISSUER', 'words')],
    ['ForbiddenPrincipalError', false, () => new ForbiddenPrincipalError('words')],
    ['UndecoratedRouteError', false, () => new UndecoratedRouteError('words')],
    ['UnsupportedContextError', true, () => new UnsupportedContextError('words')],
    ['VerifierUnavailableError', true, () => new VerifierUnavailableError('words')],
    ['TokenSourceError', true, () => new TokenSourceError('EMPTY', '/a/file', 'words')],
  ])('%s has a stack trace: %s', (_, expected, create) => {
    expect(/\n\s+at /.test(String(create().stack))).toBe(expected);
    expect(String(create().stack)).toContain('words');
    expect(String(new Error('another').stack)).toMatch(/\n\s+at /);
  });

  it('leaves the stack traces of other errors as they were if its constructor throws', () => {
    expect(() => new MissingTokenError('words', null as never)).toThrow(TypeError);
    expect(String(new Error('another').stack)).toMatch(/\n\s+at /);
  });

  it('is created if the length of stack traces cannot be changed', () => {
    const { stackTraceLimit } = Error;
    Object.defineProperty(Error, 'stackTraceLimit', { value: stackTraceLimit, writable: false });
    try {
      expect(new MissingTokenError('words')).toMatchObject({ message: 'words' });
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', { value: stackTraceLimit, writable: true });
    }
  });

  it('rounds retryAfterMs up to whole milliseconds', () => {
    expect(new VerifierUnavailableError('words', { retryAfterMs: 1_000.2 }).retryAfterMs).toBe(1_001);
  });

  it('lists every mistake of a configuration in one error', () => {
    const error = new ConfigurationError(['one is wrong', 'two is missing'], { cause });
    expect(error).toMatchObject({
      name: 'ConfigurationError',
      code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID',
      mistakes: ['one is wrong', 'two is missing'],
      cause,
    });
    expect(error.message).toBe('invalid k8s-auth configuration:\n  - one is wrong\n  - two is missing');
  });
});
