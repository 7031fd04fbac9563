// Seeded randomness: the only source of chance in the product, so that every run can be repeated. sfc32 seeded through a string
// hash; the same seed gives the same sequence on every machine. Refuses to be cryptographic.

export interface Random {
  /** Uniform in [0, 1), 32 bits of it. */
  next(): number
  /** Uniform integer in [0, n); n is at least 1. */
  int(n: number): number
  /** One element, each equally likely. Throws RangeError on an empty list. */
  pick<T>(from: readonly T[]): T
  /** A new list in random order (Fisher-Yates); the given one is untouched. */
  shuffle<T>(list: readonly T[]): T[]
  /** Normal with mean 0 and deviation 1. */
  gaussian(): number
  /** An independent generator named by `label`; does not advance this one, so adding a fork elsewhere changes nothing here. */
  fork(label: string): Random
}

/** A generator whose sequence is a function of `seed` alone. */
export function createRandom(seed: string | number): Random {
  const name = String(seed)
  const next = sfc32(hash128(name))
  const int = (n: number): number => {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`int(n) needs a whole number of at least 1, not ${n}`)
    return Math.floor(next() * n)
  }
  return {
    next,
    int,
    pick: (from) => {
      if (from.length === 0) throw new RangeError('pick() needs at least one element')
      return from[int(from.length)] as (typeof from)[number]
    },
    shuffle: (list) => {
      const shuffled = [...list]
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = int(last + 1)
        const moved = shuffled[last] as (typeof list)[number]
        shuffled[last] = shuffled[other] as (typeof list)[number]
        shuffled[other] = moved
      }
      return shuffled
    },
    // Box-Muller; 1 - next() is never 0, so the logarithm is finite.
    gaussian: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    fork: (label) => createRandom(`${name}\u0000${label}`),
  }
}

type State = [number, number, number, number]

/** Small Fast Counter, 32 bit (Doty-Humphrey, PractRand). */
function sfc32([a, b, c, d]: State): () => number {
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let warmUp = 0; warmUp < 12; warmUp++) next()
  return next
}

/** cyrb128: four 32-bit words of a text, read as UTF-16 units. */
function hash128(text: string): State {
  let h1 = 1_779_033_703
  let h2 = 3_144_134_277
  let h3 = 1_013_904_242
  let h4 = 2_773_480_762
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    h1 = h2 ^ Math.imul(h1 ^ unit, 597_399_067)
    h2 = h3 ^ Math.imul(h2 ^ unit, 2_869_860_233)
    h3 = h4 ^ Math.imul(h3 ^ unit, 951_274_213)
    h4 = h1 ^ Math.imul(h4 ^ unit, 2_716_044_179)
  }
  h1 = Math.imul(h3 ^ (h1 >>> 18), 597_399_067)
  h2 = Math.imul(h4 ^ (h2 >>> 22), 2_869_860_233)
  h3 = Math.imul(h1 ^ (h3 >>> 17), 951_274_213)
  h4 = Math.imul(h2 ^ (h4 >>> 19), 2_716_044_179)
  return [h1 ^ h2 ^ h3 ^ h4, h2 ^ h1, h3 ^ h1, h4 ^ h1]
}
