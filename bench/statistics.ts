// What is said about the figures of several rounds.

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Of rounds in which two took turns, the one whose ratio is the median: where the machine's speed changes between rounds, both of it were
 * measured at the same. Of an even number, the lower one.
 */
export function medianRound(ours: readonly number[], peer: readonly number[]): { ours: number; peer: number } {
  const rounds = ours.map((our, i) => ({ ours: our, peer: peer[i] })).sort((a, b) => a.peer / a.ours - b.peer / b.ours);
  return rounds[(rounds.length - 1) >> 1];
}

/** (max - min) / median: 0 when every round agreed. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
