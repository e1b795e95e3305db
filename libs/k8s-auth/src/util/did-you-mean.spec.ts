import { expect, it } from '@jest/globals';
import { didYouMean } from './did-you-mean.js';

const candidates = ['dev', 'doctor', 'explain'];

it.each([
  ['docter', 'doctor'],
  ['dcotor', 'doctor'],
  ['explian', 'explain'],
  ['DEV', 'dev'],
  ['dve', 'dev'],
])('didYouMean answers %s with %s', (word, expected) => {
  expect(didYouMean(word, candidates)).toBe(` Did you mean '${expected}'?`);
});

it.each(['', 'start', 'deploy'])('didYouMean finds nothing similar to "%s"', (word) => {
  expect(didYouMean(word, candidates)).toBe('');
});
