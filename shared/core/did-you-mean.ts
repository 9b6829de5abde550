/** The known name that a misspelled one probably means: equal but for case, or at most two typing errors away. Pure. */
export function didYouMean(text: string, known: readonly string[]): string | undefined {
  const limit = Math.min(2, Math.floor(text.length / 3));
  if (text.length > LENGTH_MAX) return undefined;
  return known
    .filter((name) => name !== text && name.length <= LENGTH_MAX)
    .map((name) => ({ name, distance: editDistance(text.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((one, other) => one.distance - other.distance)[0]?.name;
}

// ---------------------------------------------------------------------------------------------------------------

/** Longer names are not compared, so that a caller cannot make the comparison slow. */
const LENGTH_MAX = 100;

/** Levenshtein distance, with two swapped neighbours as one error. */
function editDistance(from: string, to: string): number {
  let before: readonly number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const next = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      next[column] = Math.min(
        at(next, column - 1) + 1,
        at(last, column) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = last;
    last = next;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
