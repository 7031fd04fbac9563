// Counts tokens as the project's student does, by the vocabulary in its file. Without a student, or with one whose tokenizer is not known
// here, tokens are estimated; the toys of the demo are counted as their teacher was taught, by estimate.

import type { Model } from '../contract/models.ts'
import type { ChunkTokens } from '../contract/taxonomy.ts'
import { approximateTokenizer, approximateTokens } from '../domain/chunk-ruler.ts'
import { type GgufFile, ggufValue } from '../domain/gguf.ts'
import { createTokenCount } from '../domain/token-count.ts'
import { listModels, type StoredModel } from '../store/models.ts'
import type { OpenProject } from './lab.ts'
import { readHeader } from './models.ts'

/** Who counts the tokens of a chunk. */
export interface TokenCounter {
  /** The student's sha256, or `approximate`. */
  name: string
  countTokens: (text: string) => number
}
const approximate: TokenCounter = { name: approximateTokenizer, countTokens: approximateTokens }

/** The vocabulary read last: it takes a moment, and some megabytes. */
let latest: { sha256: string; counter: Promise<TokenCounter> } | null = null

/** The student's counter, or the estimate. */
export function studentCounter(project: OpenProject): Promise<TokenCounter> {
  const student = studentOf(project)
  if (!student || student.isDemo) return Promise.resolve(approximate)
  if (latest?.sha256 !== student.sha256) latest = { sha256: student.sha256, counter: readCounter(student) }
  return latest.counter
}

/** Who counts, in words for the screen. */
export async function chunkTokensOf(project: OpenProject): Promise<ChunkTokens> {
  const { name } = await studentCounter(project)
  return { student: name === approximateTokenizer ? null : (studentOf(project)?.name ?? null) }
}

function studentOf({ db }: OpenProject): StoredModel | undefined {
  return listModels(db).find(({ roles }) => roles.includes('student'))
}

/** A file that is gone or damaged is told on the Models screen; chunks are estimated then. */
async function readCounter({ path, sha256 }: Pick<Model, 'path' | 'sha256'>): Promise<TokenCounter> {
  const file = await readHeader(path).catch(() => null)
  const countTokens = file && createTokenCount(factsOf(file))
  return countTokens ? { name: sha256, countTokens } : approximate
}

function factsOf(file: GgufFile) {
  const list = <Value>(key: string): Value[] => {
    const value = ggufValue(file, key)
    return Array.isArray(value) ? (value as Value[]) : []
  }
  return {
    model: String(ggufValue(file, 'tokenizer.ggml.model') ?? ''),
    pre: String(ggufValue(file, 'tokenizer.ggml.pre') ?? ''),
    tokens: list<string>('tokenizer.ggml.tokens'),
    merges: list<string>('tokenizer.ggml.merges'),
    scores: list<number>('tokenizer.ggml.scores'),
  }
}
