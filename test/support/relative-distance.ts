// How far two vectors are apart, for gradients.

/** |a - b| / |a|; throws when their lengths differ. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number> = []): number {
  if (a.length !== b.length) throw new Error(`vectors of ${a.length} and ${b.length} numbers`)
  let off = 0
  let size = 0
  for (let index = 0; index < a.length; index++) {
    const value = a[index] ?? Number.NaN
    off += (value - (b[index] ?? Number.NaN)) ** 2
    size += value ** 2
  }
  return Math.sqrt(off / Math.max(size, 1e-30))
}
