// What a slot of a generation run is made from. A pure function of the leaf's material, the run's seed and the attempt, so that a slot
// redone after a crash is the same slot, whatever else ran beside it.

import type { Chunk, Seed } from '../contract/taxonomy.ts'
import { createRandom } from './random.ts'

/** Seeds shown as in-context examples; a prompt pack may show fewer. */
export const shownSeeds = 3

/** The attempt's chunk: every chunk once, then every chunk again, which is another round. The chunk is null when there are none. */
export function chunkOf(
  chunks: readonly Chunk[],
  attempt: number,
): { chunk: Chunk | null; chunkIndex: number; round: number } {
  const count = Math.max(1, chunks.length)
  const chunkIndex = attempt % count
  return { chunk: chunks[chunkIndex] ?? null, chunkIndex, round: Math.floor(attempt / count) }
}

export interface ExampleChoice {
  runSeed: number
  leaf: string
  attempt: number
  /** Chunks of the leaf, 1 for skills: a new round of chunks gets new examples. */
  roundLength: number
}

/**
 * The attempt's examples: all seeds in a shuffled order of their own each round, read on from where the last attempt stopped. So every
 * seed is shown equally often, and a chunk that comes again comes with other examples.
 */
export function examplesOf(seeds: readonly Seed[], choice: ExampleChoice): Seed[] {
  if (seeds.length === 0) return []
  const round = Math.floor(choice.attempt / Math.max(1, Math.max(choice.roundLength, seeds.length)))
  const order = createRandom(`${choice.runSeed} ${choice.leaf} examples ${round}`).shuffle(seeds)
  const count = Math.min(shownSeeds, order.length)
  return Array.from({ length: count }, (_, at) => order[(choice.attempt + at) % order.length] as Seed)
}

export interface CallName {
  runSeed: number
  leaf: string
  slot: number
  stage: string
  attempt: number
}

/** The sampling seed of one model call: 31 bits named by run, leaf, slot, stage and attempt, and by nothing else. */
export function callSeed({ runSeed, leaf, slot, stage, attempt }: CallName): number {
  return createRandom(`${runSeed} ${leaf} ${slot} ${stage} ${attempt}`).int(2 ** 31)
}
