// Seeded randomness for the demo world: every draw is a pure function of a seed text, so worlds, corpora and exams can be made again.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [min, max]. */
  between(min: number, max: number): number
  chance(probability: number): boolean
  pick<T>(choices: readonly T[]): T
  /** A shuffled copy. */
  shuffle<T>(choices: readonly T[]): T[]
  /** `count` different choices, in random order. */
  sample<T>(choices: readonly T[], count: number): T[]
}

/** FNV-1a, 32 bits, with a final mix. */
export function hashText(text: string): number {
  let hash = 2166136261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A generator (mulberry32) started from a seed text. */
export function randomOf(seed: string): Random {
  let state = hashText(seed)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  const shuffle = <T>(choices: readonly T[]): T[] => {
    const copy = [...choices]
    for (let i = copy.length - 1; i > 0; i--) {
      const j = between(0, i)
      const kept = copy[i] as T
      copy[i] = copy[j] as T
      copy[j] = kept
    }
    return copy
  }
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (choices) => {
      if (choices.length === 0) throw new RangeError('nothing to pick from')
      return choices[between(0, choices.length - 1)] as (typeof choices)[number]
    },
    shuffle,
    sample: (choices, count) => shuffle(choices).slice(0, count),
  }
}
