import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { podEnvironment, type PodEnvironmentOptions } from './pod-environment.js';

const files = {
  url: 'https://127.0.0.1:6443',
  issuer: 'https://kubernetes.default.svc.cluster.local',
  kubeconfig: '/tmp/pod.kubeconfig',
  publicKeyFile: '/tmp/sa.pub',
  destinations: [],
  preloaded: '/tmp/pod/process.cjs',
};
const service = { audience: 'orders', verifier: 'oidc-discovery', port: 3000, environment: {} };

function environmentOf(options: Partial<PodEnvironmentOptions>): Record<string, string | undefined> {
  return podEnvironment({ service, files, inherited: {}, alsoSet: [], directory: '/app', ...options });
}

describe('podEnvironment', () => {
  it('gives the variables of a pod and the defaults of the library', () => {
    expect(environmentOf({ inherited: { HOME: '/home/me' } })).toEqual({
      HOME: '/home/me',
      PATH: join('/app', 'node_modules', '.bin'),
      K8S_AUTH_VERIFIER: 'oidc-discovery',
      K8S_AUTH_AUDIENCE: 'orders',
      KUBECONFIG: '/tmp/pod.kubeconfig',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: '6443',
      KUBERNETES_SERVICE_PORT_HTTPS: '6443',
      NODE_OPTIONS: '--require "/tmp/pod/process.cjs"',
      PORT: '3000',
    });
  });

  it('always replaces KUBECONFIG, so that the cluster of the user is never called', () => {
    expect(environmentOf({ inherited: { KUBECONFIG: '/home/me/production' } }).KUBECONFIG).toBe(
      files.kubeconfig,
    );
  });

  it('keeps variables of the library that the user sets, in the environment or in .env', () => {
    const inherited = { K8S_AUTH_AUDIENCE: 'orders-v2' };
    const environment = environmentOf({ inherited, alsoSet: ['K8S_AUTH_VERIFIER'] });
    expect(environment.K8S_AUTH_AUDIENCE).toBe('orders-v2');
    expect(environment).not.toHaveProperty('K8S_AUTH_VERIFIER');
  });

  it('lets options of the command line override the variables of the user', () => {
    const environment = environmentOf({
      service: { ...service, environment: { K8S_AUTH_VERIFIER: 'hybrid' } },
      files: { ...files, destinations: [{ origin: 'http://localhost:3001', tokenFile: '/tmp/billing' }] },
      inherited: { K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_DESTINATIONS: 'http://billing.svc=/var/run/x' },
    });
    expect(environment.K8S_AUTH_VERIFIER).toBe('hybrid');
    expect(environment.K8S_AUTH_DESTINATIONS).toBe('http://localhost:3001=/tmp/billing');
  });

  it('sets issuer and key file for jwt-pubkey only, because other verifiers do not use them', () => {
    const names = (verifier: string) => Object.keys(environmentOf({ service: { ...service, verifier } }));
    expect(names('jwt-pubkey')).toEqual(
      expect.arrayContaining(['K8S_AUTH_ISSUER', 'K8S_AUTH_PUBLIC_KEY_FILES']),
    );
    expect(names('tokenreview').filter((name) => /ISSUER|PUBLIC_KEY/.test(name))).toEqual([]);
  });

  it('sets no verifier for a service that receives no calls', () => {
    const names = Object.keys(environmentOf({ service: { ...service, verifier: undefined } }));
    expect(names.filter((name) => name.startsWith('K8S_AUTH_'))).toEqual([]);
  });

  it('keeps the NODE_OPTIONS of the user after the preloaded file, whose path it quotes', () => {
    const inherited = { NODE_OPTIONS: '--max-old-space-size=512' };
    const preloaded = 'C:\\my files\\process.cjs';
    expect(environmentOf({ inherited, files: { ...files, preloaded } }).NODE_OPTIONS).toBe(
      '--require "C:\\\\my files\\\\process.cjs" --max-old-space-size=512',
    );
  });

  it('puts the programs of the project first', () => {
    const environment = environmentOf({ inherited: { PATH: '/usr/bin' }, platform: 'linux' });
    expect(environment.PATH).toBe('/app/node_modules/.bin:/usr/bin');
  });

  it('ignores the case of names on Windows, where PATH is called Path', () => {
    const inherited = {
      Path: 'C:\\Windows',
      PathExt: '.EXE;.CMD',
      kubeconfig: 'C:\\mine',
      k8s_auth_audience: 'mine',
    };
    const environment = environmentOf({ inherited, directory: 'C:\\app', platform: 'win32' });
    expect(environment).toMatchObject({
      PATH: 'C:\\app\\node_modules\\.bin;C:\\Windows',
      PATHEXT: '.EXE;.CMD',
      KUBECONFIG: files.kubeconfig,
      K8S_AUTH_AUDIENCE: 'mine',
    });
    const names = Object.keys(environment).map((name) => name.toUpperCase());
    expect(names).toHaveLength(new Set(names).size);
  });

  it('keeps the case of names elsewhere', () => {
    expect(environmentOf({ inherited: { Path: '/other' }, platform: 'linux' }).Path).toBe('/other');
  });
});
