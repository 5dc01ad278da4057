/** Cells of edit-distance tables that one `nearestAmong` may fill; a hostile file gets no more suggestions after that. */
const BUDGET = 10_000_000;
const LONGEST = 64;

/**
 * Prepares to say which of these words somebody meant. The answer is the word at the smallest edit distance
 * (a swap of neighbours counts once), or `undefined` when none is within a third of the word's length.
 */
export function nearestAmong(known: Iterable<string>): (word: string) => string | undefined {
  const words = [...known];
  let budget = BUDGET;
  return (word) => {
    if (word.length > LONGEST) return undefined;
    const lower = word.toLowerCase();
    let best: string | undefined;
    let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
    for (const candidate of words) {
      if (candidate.length > LONGEST || Math.abs(candidate.length - word.length) >= bestDistance) continue;
      budget -= candidate.length * word.length;
      if (budget < 0) return best;
      const distance = editDistance(lower, candidate.toLowerCase());
      if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
    }
    return best;
  };
}

/** `Did you mean "secret"?` and a space, or nothing. */
export const didYouMean = (nearest: string | undefined): string =>
  nearest === undefined ? '' : `Did you mean ${JSON.stringify(nearest)}? `;

/** Words for a remedy: at most twenty of them, then how many there are. */
export function listed(words: Iterable<string>): string {
  const all = [...words];
  return all.length <= 20 ? all.join(', ') : `${all.slice(0, 20).join(', ')}, … (${all.length} in all)`;
}

/** Optimal string alignment distance. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let cost = Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
