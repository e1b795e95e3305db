import { describe, expect, it } from '@jest/globals';
import { apiServerOptionsSchema, apiServerVariables } from './api-server.options.js';

function mistakesOf(options: unknown): string[] {
  const { error } = apiServerOptionsSchema.safeParse(options);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('apiServerOptionsSchema', () => {
  it.each([
    {},
    { url: 'https://10.0.0.1' },
    { url: 'https://[fd00::1]:6443', caFile: '/ca.crt', tokenFile: '/token' },
    { url: 'https://rancher.example/k8s/clusters/c-1' },
    { caFile: '/ca.crt' },
    { kubeconfigFile: '/kubeconfig' },
  ])('accepts %j', (options) => expect(mistakesOf(options)).toStrictEqual([]));

  it.each([
    'http://10.0.0.1',
    'https://user@10.0.0.1',
    'https://user:secret@10.0.0.1',
    'https://10.0.0.1?x=1',
    'https://10.0.0.1/?',
    'https://10.0.0.1#x',
    'https://10.0.0.1/#',
    ' https://10.0.0.1',
    '10.0.0.1:6443',
    '',
  ])('rejects the URL %p', (url) =>
    expect(mistakesOf({ url })).toStrictEqual([
      'url: expected an https URL without user name, query or fragment',
    ]),
  );

  it.each(['url', 'caFile', 'tokenFile'])('rejects kubeconfigFile together with %s', (other) => {
    const options = { kubeconfigFile: '/kubeconfig', [other]: 'https://10.0.0.1' };
    expect(mistakesOf(options)).toStrictEqual([
      "kubeconfigFile: expected alone, without 'url', 'caFile' or 'tokenFile'",
    ]);
  });

  it.each(['caFile', 'tokenFile', 'kubeconfigFile'])('rejects an empty %s', (option) =>
    expect(mistakesOf({ [option]: '' })).toStrictEqual([`${option}: expected a path, not an empty one`]),
  );

  it('rejects unknown options', () => {
    expect(mistakesOf({ token: 'eyJ' })).toHaveLength(1);
  });
});

it('apiServerVariables has a variable for each option except kubeconfigFile, which has KUBECONFIG', () => {
  expect(apiServerVariables.map(({ option, variable }) => `${variable}=${option}`)).toStrictEqual([
    'K8S_AUTH_API_SERVER_URL=apiServer.url',
    'K8S_AUTH_API_SERVER_CA_FILE=apiServer.caFile',
    'K8S_AUTH_API_SERVER_TOKEN_FILE=apiServer.tokenFile',
  ]);
});
