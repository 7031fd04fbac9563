// A generation pipeline: for each kind of leaf the chain of blocks a slot goes through. Data, not code: presets are YAML files, and so are
// the user's own. What blocks read and write, and in which order they make sense, is checked in main/domain/pipeline.ts.

import { z } from 'zod'

/** `mined`: leaves of foundational skills without seeds and rows, filled from what the student does already. */
export const chainKinds = ['knowledge', 'freeform', 'grounded', 'mined'] as const
export type ChainKind = (typeof chainKinds)[number]

/** Forms of a document's chunk that questions may be asked about; judges always see the raw chunk. */
export const materialForms = ['as-is', 'clean-up', 'detailed-summary', 'extractive-summary', 'atomic-facts'] as const
export type MaterialForm = (typeof materialForms)[number]

const sampling = z
  .strictObject({
    temperature: z.number().min(0).max(2),
    topP: z.number().gt(0).max(1),
    minP: z.number().min(0).max(1),
    maxTokens: z.number().int().min(8).max(8192),
    /** Tokens the model may think aloud before it answers, where it knows how to. */
    thinkTokens: z.number().int().min(16).max(16_384),
  })
  .partial()
export type Sampling = z.infer<typeof sampling>

const called = { sampling: sampling.optional() }
/** Judges: who is asked, and how many votes are taken; a majority must pass, and the middle score counts. */
const judged = {
  ...called,
  by: z.enum(['teacher', 'judge']).optional(),
  votes: z.number().int().min(1).max(15).optional(),
}

export const pipelineBlock = z.discriminatedUnion('use', [
  // write
  z.strictObject({ use: z.literal('material'), forms: z.array(z.enum(materialForms)).min(1).max(10), ...called }),
  z.strictObject({ use: z.literal('pair'), ...called }),
  z.strictObject({ use: z.literal('entity-pair'), ...called }),
  z.strictObject({ use: z.literal('context'), ...called }),
  z.strictObject({ use: z.literal('question'), ...called }),
  z.strictObject({
    use: z.literal('evolve'),
    how: z.enum(['harder', 'broader']),
    /** Share of the slots whose question is evolved. */
    share: z.number().min(0).max(1).optional(),
    ...called,
  }),
  z.strictObject({
    use: z.literal('answer'),
    /** So many answers are written, each is graded, the best is kept. */
    bestOf: z.number().int().min(1).max(16).optional(),
    ...called,
  }),
  z.strictObject({ use: z.literal('choices'), ...judged }),
  z.strictObject({ use: z.literal('mine'), ...called }),
  // judge
  z.strictObject({ use: z.literal('question-fit'), ...judged }),
  z.strictObject({ use: z.literal('pair-grade'), ...judged }),
  z.strictObject({ use: z.literal('faithful'), ...judged }),
  z.strictObject({ use: z.literal('relevant'), ...judged }),
  z.strictObject({ use: z.literal('self-contained'), ...judged }),
  // rule
  z.strictObject({ use: z.literal('new') }),
  z.strictObject({
    use: z.literal('semantic'),
    /** Cosine of two samples' vectors from which they say the same. */
    similarity: z.number().min(0).max(1).optional(),
  }),
  z.strictObject({ use: z.literal('unseen') }),
  z.strictObject({ use: z.literal('language') }),
  z.strictObject({ use: z.literal('format') }),
  z.strictObject({
    use: z.literal('known'),
    /** Drops what the student answers already; else it is only marked. */
    drops: z.boolean().optional(),
    /** Share of those that are dropped: the rest stay, to be kept in mind. All without it. */
    share: z.number().min(0).max(1).optional(),
    /** ROUGE-L of the student's answer and the sample's from which it counts as known. */
    similarity: z.number().min(0).max(1).optional(),
    ...called,
  }),
])
export type PipelineBlock = z.infer<typeof pipelineBlock>
export type BlockName = PipelineBlock['use']
export type BlockOf<Name extends BlockName> = Extract<PipelineBlock, { use: Name }>

const chain = z.array(pipelineBlock).min(1).max(40)
export const pipelineSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(60),
  description: z.string().max(2000).default(''),
  chains: z.strictObject({
    knowledge: chain.optional(),
    freeform: chain.optional(),
    grounded: chain.optional(),
    mined: chain.optional(),
  }),
})
export type Pipeline = z.infer<typeof pipelineSchema>

/** One finding of the checker. Lines and columns are 1-based. */
export interface PipelineProblem {
  severity: 'error' | 'hint'
  line: number
  column: number
  /** Dotted path, e.g. `chains.knowledge[2].votes`. */
  field: string
  message: string
  remedy: string
}

/** A pipeline as it is listed. */
export interface PipelineSummary {
  name: string
  description: string
  isPreset: boolean
  chains: ChainKind[]
  text: string
}
