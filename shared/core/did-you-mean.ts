/** Recognizes the name that a sender probably meant. Pure. */

/**
 * The one of `names` that differs from `given` only in case, separators or a typing error. Undefined: none is similar,
 * or `given` is one of them.
 */
export function didYouMean(given: string, names: readonly string[]): string | undefined {
  if (given.length > LONGEST || names.includes(given)) return undefined;
  const [best] = names
    .map((name) => ({ name, distance: distanceBetween(bare(given), bare(name)) }))
    .filter(({ name, distance }) => distance <= tolerated(bare(name).length))
    .sort((one, other) => one.distance - other.distance);
  return best?.name;
}

// ------------------------------------------------------------------------------------------------------------------

/** The work grows with the length, and no name of the service is this long. */
const LONGEST = 100;

/** Typing errors: none in a short name, where every other word would be similar. */
function tolerated(length: number): number {
  if (length < 5) return 0;
  return length < 9 ? 1 : 2;
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9.]/g, "");
}

/** Edits between two texts: insert, remove or replace a character, or swap two neighbors (optimal string alignment). */
function distanceBetween(one: string, other: string): number {
  let [before, above]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = at(above, column - 1) + (one[row - 1] === other[column - 1] ? 0 : 1);
      const swapped =
        one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
          ? at(before, column - 2) + 1
          : replaced;
      current.push(Math.min(replaced, swapped, at(above, column) + 1, at(current, column - 1) + 1));
    }
    [before, above] = [above, current];
  }
  return at(above, other.length);
}

function at(distances: readonly number[], index: number): number {
  return distances[index] ?? Number.POSITIVE_INFINITY;
}
