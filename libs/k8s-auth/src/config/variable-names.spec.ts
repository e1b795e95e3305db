import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { nameVariables } from './k8s-auth.config.js';

const VARIABLES = [
  { option: 'apiServer.caFile', variable: 'K8S_AUTH_API_SERVER_CA_FILE', type: 'text' },
] as const;

describe('nameVariables', () => {
  it('says the variable beside the option', () => {
    const error = new ConfigurationError([
      { place: { option: 'apiServer.caFile' }, message: '/nope: expected a file' },
      { place: { option: 'other' }, message: 'x' },
      "option 'apiServer.caFile': in words",
    ]);
    expect(nameVariables(error, VARIABLES)).toMatchObject({
      mistakes: [
        "option 'verifier.apiServer.caFile' (K8S_AUTH_API_SERVER_CA_FILE): /nope: expected a file",
        "option 'other': x",
        "option 'apiServer.caFile': in words",
      ],
    });
  });

  it('leaves every other error alone', () => {
    const error = new TypeError('x');
    expect(nameVariables(error, VARIABLES)).toBe(error);
  });
});
