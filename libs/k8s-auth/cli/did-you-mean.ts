import { findSimilarName } from '../src/util/did-you-mean.js';

/** @returns ` Did you mean 'x'?` with the most similar candidate, or an empty text if none is similar */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const similar = findSimilarName(word, candidates);
  return similar === undefined ? '' : ` Did you mean '${similar}'?`;
}
