// The shortest part of a sequence that still fails (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
// 2002): large pieces are left out first, then smaller ones, then single operations.

export async function shortest<T>(
  whole: readonly T[],
  fails: (candidate: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = whole;
  for (let piece = Math.ceil(kept.length / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let from = 0; from < kept.length; ) {
      const candidate = [...kept.slice(0, from), ...kept.slice(from + piece)];
      if (candidate.length > 0 && (await fails(candidate))) kept = candidate;
      else from += piece;
    }
  }
  return kept;
}
