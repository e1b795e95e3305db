import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { nameVariables } from './k8s-auth.config.js';

const VARIABLES = [
  { option: 'apiServer.caFile', variable: 'K8S_AUTH_API_SERVER_CA_FILE', type: 'text' },
] as const;

describe('nameVariables', () => {
  it('adds the name of the variable to the name of the option', () => {
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

  it('does not change other errors', () => {
    const error = new TypeError('x');
    expect(nameVariables(error, VARIABLES)).toBe(error);
  });
});
