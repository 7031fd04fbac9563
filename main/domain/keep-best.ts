// Which of many near duplicates stay. The best stay first: what a person decided or wrote, the judge's higher score, the longer answer, the
// earlier. A sample goes when a better twin of it stays; so of a chain of twins both ends may stay.

export interface Rival {
  id: string
  /** A person accepted or edited it. */
  isReviewed: boolean
  score: number | null
  answerLength: number
  /** The order they were made in. */
  number: number
}

/** A sample that goes, and the twin that stays for it. */
export interface Loser {
  id: string
  keptId: string
}

/** Those of the pairs' samples that go. What a person decided never does. Throws when a pair names an unknown rival. */
export function chooseLosers(rivals: readonly Rival[], pairs: readonly { one: string; other: string }[]): Loser[] {
  const twins = new Map<string, string[]>(rivals.map(({ id }) => [id, []]))
  for (const { one, other } of pairs) {
    const [ofOne, ofOther] = [twins.get(one), twins.get(other)]
    if (!ofOne || !ofOther) throw new Error(`a pair of unknown rivals: ${one}, ${other}`)
    ofOne.push(other)
    ofOther.push(one)
  }
  const kept = new Set<string>()
  const losers: Loser[] = []
  for (const rival of [...rivals].sort(better)) {
    const keptId = twins.get(rival.id)?.find((twin) => kept.has(twin))
    if (keptId === undefined || rival.isReviewed) kept.add(rival.id)
    else losers.push({ id: rival.id, keptId })
  }
  return losers
}

function better(one: Rival, other: Rival): number {
  return (
    Number(other.isReviewed) - Number(one.isReviewed) ||
    (other.score ?? 0) - (one.score ?? 0) ||
    other.answerLength - one.answerLength ||
    one.number - other.number
  )
}
