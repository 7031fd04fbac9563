// Mends a qna.yaml: makes the repairs its problems carry, again until none is left, and never keeps one that makes the text worse.

import type { Branch, QnaProblem, RepairKind } from '../contract/taxonomy.ts'
import { type QnaFile, readQna, type ReadQnaOptions } from './qna.ts'
import { applyEdits } from './text-edits.ts'

/** A problem to repair, found by what and where it is. */
export interface RepairPlace {
  kind: RepairKind
  line: number
  column: number
}

export interface Mended {
  text: string
  made: RepairKind[]
  /** What the mended text is. */
  file: QnaFile
}

/** Each round may uncover problems that the round before hid. */
const maxRounds = 8
/** Repairs tried one by one in a round, where all together do harm. */
const maxTrials = 50

/** Makes every repair, or the ones named (one round then: places move when the text does). */
export function repairQna(
  text: string,
  branch: Branch,
  { places, ...options }: ReadQnaOptions & { places?: readonly RepairPlace[] | undefined } = {},
): Mended {
  const read = (of: string) => readQna(of, branch, options)
  let now: Mended = { text, made: [], file: read(text) }
  const rounds = places ? 1 : maxRounds
  for (let round = 0; round < rounds; round++) {
    const wanted = now.file.problems.filter((problem) => problem.repair && (!places || isNamed(problem, places)))
    const next = wanted.length > 0 ? mendRound(now, wanted, read) : now
    if (next === now) break
    now = next
  }
  return now
}

function isNamed({ repair, line, column }: QnaProblem, places: readonly RepairPlace[]): boolean {
  return places.some((place) => place.kind === repair?.kind && place.line === line && place.column === column)
}

function mendRound(now: Mended, wanted: readonly QnaProblem[], read: (text: string) => QnaFile): Mended {
  const all = mend(now, wanted, read)
  if (all) return all
  // From the end, so that places before stay right.
  const trials = wanted.toSorted((a, b) => firstEdit(b) - firstEdit(a)).slice(0, maxTrials)
  return trials.reduce((before, problem) => mend(before, [problem], read) ?? before, now)
}

const firstEdit = ({ repair }: QnaProblem) => repair?.edits[0]?.start ?? 0

/** Null where the text would not change, or would have more errors than before. */
function mend(now: Mended, wanted: readonly QnaProblem[], read: (text: string) => QnaFile): Mended | null {
  const repairs = wanted.flatMap(({ repair }) => repair ?? [])
  const text = applyEdits(
    now.text,
    repairs.flatMap(({ edits }) => edits),
  )
  if (text === now.text) return null
  const file = read(text)
  if (weigh(file) >= weigh(now.file)) return null
  return { text, file, made: [...now.made, ...repairs.map(({ kind }) => kind)] }
}

/** Less is better: a text that is no YAML is worst, then errors count, then what is left to repair. */
function weigh({ problems, isYaml }: QnaFile): number {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const repairs = problems.filter(({ repair }) => repair).length
  return (isYaml ? 0 : 1e9) + errors * 1e4 + repairs
}
