// Everything a generation run reads from the project before it starts: leaves with seeds and chunks, what is kept already (for
// duplicates), and the held-out exams. Collected once, so that a run is a function of what it began with.

import type { GenerationId } from '../contract/ids.ts'
import type { ChainKind, Pipeline, PipelineBlock } from '../contract/pipelines.ts'
import type { Chunk, Leaf, Seed } from '../contract/taxonomy.ts'
import { createDuplicateScreen, type DuplicateScreen, type ScreenedText } from '../domain/duplicate-screen.ts'
import { chainOf } from '../domain/pipeline.ts'
import { listDocuments } from '../store/documents.ts'
import { iteratePassed, type LeafProgress } from '../store/generation.ts'
import { findLeaf, listLeaves, listSeeds } from '../store/taxonomy.ts'
import { chunksOf } from './chunks.ts'
import type { OpenProject } from './lab.ts'
import type { PackName } from './prompt-packs.ts'

/** Tokens of a chunk at most. Models that need compact prompts read short chunks only. */
export const chunkTokens = { standard: 500, compact: 80 } as const

/** One leaf of a run with what its slots are made from. */
export interface LeafSource {
  share: LeafProgress
  leaf: Leaf
  seeds: Seed[]
  chunks: Chunk[]
  chain: ChainKind
  /** The pipeline's blocks for it. */
  blocks: readonly PipelineBlock[]
  /** Why nothing can be generated for it, in plain words. */
  obstacle: string | null
}

/** Reads the leaves of a run. A leaf that is gone or lacks what it needs comes with its obstacle. */
export async function readLeafSources(
  project: OpenProject,
  shares: readonly LeafProgress[],
  { pipeline, pack }: { pipeline: Pipeline; pack: PackName },
): Promise<LeafSource[]> {
  const sources: LeafSource[] = []
  for (const share of shares) {
    const leaf = findLeaf(project.db, share.leaf) ?? missingLeaf(share)
    const documents = leaf.branch === 'knowledge' ? listDocuments(project.db, leaf.path) : []
    const chunks: Chunk[] = []
    for (const { id } of documents) chunks.push(...(await chunksOf(project, id, { maxTokens: chunkTokens[pack] })))
    const seeds = listSeeds(project.db, leaf.path)
    const chain = chainOf({ ...leaf, seedCount: seeds.length })
    const blocks = pipeline.chains[chain] ?? []
    const obstacle = obstacleOf(leaf, seeds, chunks) ?? (blocks.length === 0 ? noChain(pipeline, chain) : null)
    sources.push({ share, leaf, seeds, chunks, chain, blocks, obstacle })
  }
  return sources
}

function missingLeaf(share: LeafProgress): Leaf {
  return {
    path: share.leaf,
    branch: 'compositional_skills',
    taskDescription: '',
    domain: '',
    documentOutline: '',
    createdBy: '',
    isGrounded: false,
    persona: 'precise',
    language: 'en',
    seedCount: 0,
    documentCount: 0,
    datasetRowCount: 0,
    acceptedCount: 0,
    candidateCount: 0,
    problems: [],
  }
}

function obstacleOf(leaf: Leaf, seeds: Seed[], chunks: Chunk[]): string | null {
  if (leaf.datasetRowCount > 0) return 'Its rows come from its imported dataset; nothing is generated for it.'
  if (leaf.branch === 'knowledge' && chunks.length === 0)
    return 'It has no document to ask about. Add one on the Documents screen.'
  if (leaf.branch === 'compositional_skills' && seeds.length === 0)
    return 'It has no seed examples to follow. Add some on the Taxonomy screen.'
  return null
}

function noChain({ name }: Pipeline, chain: ChainKind): string {
  return `The pipeline "${name}" has no ${chain} chain. Choose one that has, or add the chain to it.`
}

/** What new samples must differ from. */
export function createRunScreen(project: OpenProject, threshold: number): DuplicateScreen {
  const screen = createDuplicateScreen(threshold)
  for (const { key, text } of keptTexts(project)) screen.keep(key, text)
  return screen
}

/** Seeds of every leaf and all that passed in this and earlier runs, in that order. */
export function* keptTexts(project: OpenProject): Generator<{ key: string; text: ScreenedText }> {
  for (const { path, branch } of listLeaves(project.db)) {
    // A knowledge seed's context is no chunk, so it only stands against exact repetitions.
    const source = branch === 'knowledge' ? 'seeds' : ''
    for (const seed of listSeeds(project.db, path)) {
      const { question, answer } = seed
      const context = branch === 'knowledge' ? '' : (seed.context ?? '')
      yield { key: seed.id, text: { source, context, question, answer } }
    }
  }
  for (const passed of iteratePassed(project.db))
    yield { key: passed.id, text: { ...passed, source: passed.chunkId ?? '' } }
}

/** Ids of candidates are functions of run and slot, so a slot has one whatever was killed in between. */
export function candidateIdOf(generationId: GenerationId, slot: number): string {
  return `${generationId}-${slot}`
}
