import { expect, it } from '@jest/globals';
import { KeysByIssuer } from './key-provider.js';

it('KeysByIssuer makes no list for a token', () => {
  const issuers = new KeysByIssuer([]).issuers.bind(new KeysByIssuer([]));
  expect(issuers()).toBe(issuers());
});
