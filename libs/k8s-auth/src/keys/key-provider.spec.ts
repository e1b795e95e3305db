import { expect, it } from '@jest/globals';
import { KeysByIssuer } from './key-provider.js';

it('KeysByIssuer does not create a new list of issuers per token', () => {
  const issuers = new KeysByIssuer([]).issuers.bind(new KeysByIssuer([]));
  expect(issuers()).toBe(issuers());
});
