// The newest of a list of runs.

/** By creation time; null for an empty or missing list. */
export function newest<Run extends { createdAtMs: number }>(runs: readonly Run[] | undefined): Run | null {
  return runs?.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0] ?? null
}
