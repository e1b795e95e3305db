/** @returns ` Did you mean 'x'?` with the most similar candidate, or an empty text if none is similar */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, candidate.length / 3))
    .sort((one, other) => one.distance - other.distance);
  return best ? ` Did you mean '${best.candidate}'?` : '';
}

/** The number of letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
function editDistance(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const at = (rowsBack: number, columnsBack: number) =>
        rowsBack === 0 ? current[column - columnsBack] : rows[row - rowsBack]?.[column - columnsBack];
      const isSame = one[row - 1] === other[column - 1];
      const isSwap = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const costs = [at(1, 0), at(0, 1)].map((cost = Infinity) => cost + 1);
      costs.push((at(1, 1) ?? Infinity) + (isSame ? 0 : 1));
      if (isSwap) costs.push((at(2, 2) ?? Infinity) + 1);
      current.push(Math.min(...costs));
    }
    rows.push(current);
  }
  return rows[one.length]?.[other.length] ?? Infinity;
}
