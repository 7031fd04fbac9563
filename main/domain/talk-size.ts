// How many tokens a chain's calls may need at most: what is given is measured, what models write themselves counts by its limits.

import type { ChainKind, PipelineBlock } from '../contract/pipelines.ts'
import type { Leaf } from '../contract/taxonomy.ts'
import { blockFacts, type Part, promptCalls } from './pipeline.ts'
import { type PromptStage, stageForms } from './prompts.ts'
import { type StageSettings, stageSettings } from './stage-settings.ts'

type PackName = 'standard' | 'compact'

/** One call of a chain: its prompt without what models wrote, and room for that and for the answer. */
export interface CallRoom {
  stage: PromptStage
  /** Tokens of earlier answers that may stand in the prompt. */
  writtenTokens: number
  /** Tokens of its own answer at most. */
  answerTokens: number
}

interface SizedChain {
  chain: ChainKind
  blocks: readonly PipelineBlock[]
  persona: Leaf['persona']
  packs: Record<'teacher' | 'judge', PackName>
}

/** Tokens an entity's name or a choice may take beside what is counted. */
const shortText = 48

/** The calls one of the voices gets, each block's limits applied. */
export function callRooms({ chain, blocks, persona, packs }: SizedChain, who: 'teacher' | 'judge'): CallRoom[] {
  const rooms: CallRoom[] = []
  // Parts written together by one call are one text: counted once where a prompt shows both.
  const writers = new Map<Part, { limit: number }>()
  let passage = 0
  for (const block of blocks) {
    const sampling = 'sampling' in block ? block.sampling : undefined
    const calls = promptCalls(block, chain, persona)
    const settings = ({ stage, who: asked }: (typeof calls)[number]): StageSettings =>
      stageSettings(stage, packs[asked], sampling)
    const written = (stage: PromptStage): number => {
      const shown = new Set(
        stageForms[stage].variables.flatMap((name) => writers.get(name.replace('?', '') as Part) ?? []),
      )
      const before = [...shown].reduce((sum, { limit }) => sum + limit, 0)
      const isAsked = stage === 'knowledge-qa' || stage === 'knowledge-entity-pair'
      const own = block.use === 'choices' || block.use === 'entity-pair' ? shortText : 0
      return before + own + (isAsked ? passage : 0)
    }
    let limit = 0
    for (const call of calls) {
      const { maxTokens: answerTokens, thinkTokens = 0 } = settings(call)
      const isRead = call.who !== who
      // The wrong answers stand in the verifier's prompt beside the right one.
      const extra = call.stage === 'choice-verify' || call.stage === 'skill-pair-judge' ? limit : 0
      if (!isRead)
        rooms.push({
          stage: call.stage,
          writtenTokens: written(call.stage) + extra,
          answerTokens: answerTokens + thinkTokens,
        })
      limit = Math.max(limit, answerTokens)
    }
    if (block.use === 'material') passage = limit
    const { writes } = blockFacts[block.use]
    if (writes.length === 0) continue
    const kept = block.use === 'choices' ? limit + (writers.get('question')?.limit ?? 0) : limit
    const writer = { limit: kept }
    for (const part of writes) writers.set(part, writer)
  }
  return rooms
}
