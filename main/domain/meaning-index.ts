// Texts as unit vectors, compared by the cosine of their angle. Exact: every kept vector of the same group is looked at. Knows nothing of
// how vectors are made.

export interface MeaningNeighbour {
  key: string
  /** Cosine, at least the threshold asked for. */
  score: number
}

export interface MeaningIndex {
  /** Keeps a vector under a key; only vectors of the same group are compared. */
  keep(key: string, group: string, vector: Float32Array): void
  /** The closest kept vector of the group at or above the threshold, the earliest of equals; null when there is none. */
  nearest(group: string, vector: Float32Array, threshold: number): MeaningNeighbour | null
}

/** Creates an empty index. */
export function createMeaningIndex(): MeaningIndex {
  const groups = new Map<string, { key: string; vector: Float32Array }[]>()
  return {
    keep(key, group, vector) {
      const kept = groups.get(group)
      if (kept) kept.push({ key, vector })
      else groups.set(group, [{ key, vector }])
    },
    nearest(group, vector, threshold) {
      let best: MeaningNeighbour | null = null
      for (const other of groups.get(group) ?? []) {
        const score = cosine(vector, other.vector)
        if (score >= threshold && score > (best?.score ?? -1)) best = { key: other.key, score }
      }
      return best
    },
  }
}

/** Of two vectors of length 1. */
export function cosine(one: Float32Array, other: Float32Array): number {
  let sum = 0
  for (let at = 0; at < one.length; at++) sum += (one[at] as number) * (other[at] as number)
  return sum
}
