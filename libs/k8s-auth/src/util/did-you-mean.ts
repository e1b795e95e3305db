/** A spelling mistake is one or two wrong, missing, additional or swapped letters. */
const MAX_DISTANCE = 2;

/** The known name that a misspelt name probably means. Upper and lower case count as equal. @internal */
export function findSimilarName(name: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .filter((one) => Math.abs(one.length - name.length) <= MAX_DISTANCE)
    .map((one) => ({ one, distance: editDistance(one.toUpperCase(), name.toUpperCase()) }))
    .filter(({ distance }) => distance <= MAX_DISTANCE)
    .sort((a, b) => a.distance - b.distance);
  return nearest?.one;
}

/** @returns ` Did you mean 'x'?` with the most similar known name, or an empty text if none is similar @internal */
export function didYouMean(name: string, known: readonly string[]): string {
  const similar = findSimilarName(name, known);
  return similar === undefined ? '' : ` Did you mean '${similar}'?`;
}

/** The number of letters to replace, remove, add or swap with their neighbour (optimal string alignment distance). */
function editDistance(from: string, to: string): number {
  // rows[i][j]: the distance between the first i letters of `from` and the first j letters of `to`.
  const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= from.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const distance = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(row - 2, column - 2) + 1 : Infinity,
      );
      rows[row]?.push(distance);
    }
  }
  return at(from.length, to.length);
}
