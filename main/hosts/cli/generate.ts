// labdesk generate: a plan from a few words. Leaves with their quotas, else every leaf that can be generated for; the assigned teacher
// unless another is named. What it cannot mean it refuses before anything starts.

import type { EngineApi, MethodInput } from '../../contract/api.ts'
import type { LeafPath, ModelId } from '../../contract/ids.ts'
import type { Leaf } from '../../contract/taxonomy.ts'
import { type GlobalFlags, parseWords, usageError } from './arguments.ts'

export const generateUsage = `Usage: labdesk generate [LEAF[=COUNT] ...]
  LEAF may end in "/", for all leaves below it. Without any: every leaf that can be generated for.
  --quota N         samples wanted of each leaf that names no count (default 50)
  --pipeline NAME   default "lab"; see: labdesk pipeline list
  --teacher ID      default: the project's teacher
  --judge ID        who judges, where that is not the teacher
  --student ID      whose words are mined, and who is asked what it knows
  --minutes N       ends in time; quotas are then what is wanted at most
  --parallel N      sequences evaluated together (default 16)
  --seed N          default: another one for each run of the project
  --preview         three attempts of each leaf, whatever its quota`

type Plan = MethodInput<'generation.start'>
const previewAttempts = 3

/** Reads the words and, with the project's leaves and models, makes the plan. */
export function parseGenerate(words: string[]): {
  flags: GlobalFlags
  plan: (engine: EngineApi) => Promise<Plan>
} {
  const text = { type: 'string' } as const
  const { flags, positionals } = parseWords(words, {
    quota: text,
    pipeline: text,
    teacher: text,
    judge: text,
    student: text,
    minutes: text,
    parallel: text,
    seed: text,
    preview: { type: 'boolean' },
  })
  const number = (name: string) => numberOf(name, flags[name])
  const wanted = positionals.map(readWanted)
  return {
    flags,
    async plan(engine) {
      const leaves = chooseLeaves(await engine.call('taxonomy.list', {}), wanted, number('quota') ?? 50)
      const optional = {
        judgeId: flags['judge'] as ModelId | undefined,
        studentId: flags['student'] as ModelId | undefined,
        timeBudgetMinutes: number('minutes'),
        parallel: number('parallel'),
        seed: number('seed'),
        pipeline: flags['pipeline'] as string | undefined,
      }
      return {
        teacherId: (flags['teacher'] as ModelId | undefined) ?? (await assignedTeacher(engine)),
        leaves: flags['preview'] ? leaves.map(({ leaf }) => ({ leaf, quota: previewAttempts })) : leaves,
        ...(flags['preview'] ? { maxAttemptsFactor: 1 } : {}),
        ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
      }
    },
  }
}

interface Wanted {
  path: string
  count: number | null
}

function readWanted(word: string): Wanted {
  const [path = '', count] = word.split('=')
  return { path, count: count === undefined ? null : (numberOf(word, count) ?? null) }
}

function numberOf(name: string, given: unknown): number | undefined {
  if (given === undefined) return undefined
  const value = Number(given)
  if (given !== '' && Number.isFinite(value) && value > 0) return value
  throw usageError(`"${String(given)}" is no number above 0 (${name}).`)
}

function chooseLeaves(leaves: readonly Leaf[], wanted: readonly Wanted[], quota: number): Plan['leaves'] {
  if (wanted.length === 0) {
    const able = leaves.filter(canGenerate)
    if (able.length === 0)
      throw usageError('No leaf can be generated for.', 'Add leaves with seeds and documents first.')
    return able.map(({ path }) => ({ leaf: path, quota }))
  }
  return wanted.flatMap(({ path, count }) => {
    const found = leaves.filter((leaf) => (path.endsWith('/') ? leaf.path.startsWith(path) : leaf.path === path))
    if (found.length === 0) throw usageError(`There is no leaf ${path}.`, 'List them with: labdesk taxonomy list')
    return found.map((leaf) => ({ leaf: leaf.path as LeafPath, quota: count ?? quota }))
  })
}

function canGenerate({ branch, seedCount, documentCount, datasetRowCount }: Leaf): boolean {
  if (datasetRowCount > 0 || seedCount === 0) return false
  return branch !== 'knowledge' || documentCount > 0
}

async function assignedTeacher(engine: EngineApi): Promise<ModelId> {
  const teacher = (await engine.call('model.list', {})).find(({ roles }) => roles.includes('teacher'))
  if (teacher) return teacher.id
  throw usageError(
    'The project has no teacher.',
    'Name one with --teacher, or: labdesk model assign <model-id> --role teacher',
  )
}
