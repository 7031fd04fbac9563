// MinHash with bands (Broder 1997; Leskovec, Rajaraman, Ullman, ch. 3): finds the pairs of word sets that are likely alike among very many
// without comparing all. Proposes pairs only; who asks decides on each. A function of the texts alone: nothing here is drawn by chance.

/** Rows of a band: alike sets meet in one band or another, unlike ones hardly ever. */
const rows = 3
/** Share of the pairs that just reach the likeness which may be missed. */
const missed = 0.001
const mostBands = 250

export interface PairFinder {
  /** Adds a set of words and returns the positions of earlier ones it may be like, rising. */
  add(words: readonly string[]): number[]
}

/** A finder of pairs whose Jaccard likeness is at least `likeness` (in ]0, 1]): each is missed with a probability of at most 0.1 %. */
export function createPairFinder(likeness: number): PairFinder {
  const bands = bandsFor(likeness)
  const buckets = Array.from({ length: bands }, () => new Map<number, number[]>())
  const hashed = new Map<string, number>()
  const signature = new Uint32Array(bands * rows)
  let size = 0
  return {
    add(words) {
      const found = new Set<number>()
      const position = size++
      if (words.length === 0) return []
      sign(signature, words, hashed)
      for (let band = 0; band < bands; band++) {
        const key = keyOf(signature, band)
        const bucket = buckets[band]?.get(key)
        if (bucket) for (const other of bucket) found.add(other)
        if (bucket) bucket.push(position)
        else buckets[band]?.set(key, [position])
      }
      return [...found].sort((a, b) => a - b)
    },
  }
}

/** The least Jaccard likeness of word sets whose ROUGE-L F1 is `f1`: of m + n words at least f1 (m + n) / 2 are shared. */
export function likenessOf(f1: number): number {
  return f1 / (2 - f1)
}

function bandsFor(likeness: number): number {
  const meets = Math.min(likeness ** rows, 1 - 1e-9)
  return Math.max(1, Math.min(mostBands, Math.ceil(Math.log(missed) / Math.log(1 - meets))))
}

/** The least hash of any word, for each of the signature's hash functions. */
function sign(signature: Uint32Array, words: readonly string[], hashed: Map<string, number>): void {
  signature.fill(0xffffffff)
  for (const word of new Set(words)) {
    let state = hashOf(word, hashed)
    for (let at = 0; at < signature.length; at++) {
      // One step of a generator seeded by the word stands for the next hash function.
      state = (Math.imul(state, 0x9e3779b1) + 0x7f4a7c15) >>> 0
      const mixed = mix(state)
      if (mixed < (signature[at] as number)) signature[at] = mixed
    }
  }
}

function hashOf(word: string, hashed: Map<string, number>): number {
  const known = hashed.get(word)
  if (known !== undefined) return known
  let hash = 0x811c9dc5
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193)
  hash = mix(hash >>> 0)
  hashed.set(word, hash)
  return hash
}

function mix(value: number): number {
  let state = value
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return (state ^ (state >>> 16)) >>> 0
}

function keyOf(signature: Uint32Array, band: number): number {
  let high = 0
  let low = 0x9747b28c
  for (let row = 0; row < rows; row++) {
    const part = signature[band * rows + row] as number
    high = mix(high ^ part)
    low = mix((low + Math.imul(part, 0x9e3779b1)) >>> 0)
  }
  return high * 0x200000 + (low & 0x1fffff)
}
