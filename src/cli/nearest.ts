// What somebody may have meant who mistyped a word.

/** The candidate that takes the fewest changes to become: none where that is more than a third of the word's letters. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const changes = candidate.startsWith(word) && word.length > 2 ? 1 : changesBetween(word, candidate);
    if (changes >= least) continue;
    least = changes;
    best = candidate;
  }
  return best;
}

/** ": did you mean …?", or nothing. */
export function hint(
  word: string,
  candidates: Iterable<string>,
  dress = (found: string): string => `"${found}"`,
): string {
  const found = nearest(word, candidates);
  return found === undefined ? "" : `: did you mean ${dress(found)}?`;
}

/** Letters to insert, take away, replace or exchange with their neighbour (Damerau 1964), each pair once. */
export function changesBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, j) => j);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      let changes = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (same ? 0 : 1),
      );
      const exchanged = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (exchanged) changes = Math.min(changes, (beforeLast[j - 2] as number) + 1);
      row.push(changes);
    }
    beforeLast = last;
    last = row;
  }
  return last[other.length] as number;
}
