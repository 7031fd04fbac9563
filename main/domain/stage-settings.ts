// How each stage is sampled and how long its output may be, by prompt pack. Numbers only; what the stages ask is in the prompt files.

import type { Sampling } from '../contract/pipelines.ts'
import type { PromptStage } from './prompts.ts'

export interface StageSettings {
  /** 0 for judges: the same pair gets the same verdict. */
  temperature: number
  topP: number
  minP: number
  maxTokens: number
  /** Absent: the answer comes at once. */
  thinkTokens?: number
}

type Pack = 'standard' | 'compact'

const temperatures: Record<PromptStage, number> = {
  'knowledge-qa': 0.8,
  'knowledge-faithful': 0,
  'knowledge-relevant': 0,
  'knowledge-self-contained': 0,
  'knowledge-choice': 0.7,
  'choice-verify': 0,
  'skill-context': 0.9,
  'skill-question': 0.9,
  'skill-question-judge': 0,
  'skill-answer-precise': 0.2,
  'skill-answer-creative': 0.8,
  'skill-pair-judge': 0,
  'document-outline': 0.3,
  'document-clean-up': 0.2,
  'document-summary': 0.3,
  'document-extract': 0,
  'document-facts': 0.2,
  'knowledge-entities': 0.2,
  'knowledge-entity-pair': 0.8,
  'question-harder': 0.8,
  'question-broader': 0.9,
}

/** Small models garble words where they are let stray: measured on the demo teacher, 0.6 keeps variety and loses the garbling. */
const compactTemperatures: Partial<Record<PromptStage, number>> = {
  'knowledge-qa': 0.6,
  'knowledge-choice': 0.6,
  'skill-context': 0.7,
  'skill-question': 0.7,
  'skill-answer-precise': 0,
  'skill-answer-creative': 0.2,
}

/**
 * Tokens less likely than this share of the likeliest are never taken. High for small models: where they know what comes next they
 * must not stray, and where many things may come next those are about equally likely and all stay.
 */
const minP: Record<Pack, number> = { standard: 0.05, compact: 0.2 }

/** Tokens of the longest output worth waiting for. Compact prompts are for small models with small contexts. */
const maxTokens: Record<PromptStage, Record<Pack, number>> = {
  'knowledge-qa': { standard: 640, compact: 128 },
  'knowledge-faithful': { standard: 256, compact: 96 },
  'knowledge-relevant': { standard: 256, compact: 96 },
  'knowledge-self-contained': { standard: 16, compact: 16 },
  'knowledge-choice': { standard: 256, compact: 96 },
  'choice-verify': { standard: 256, compact: 96 },
  'skill-context': { standard: 768, compact: 128 },
  'skill-question': { standard: 256, compact: 96 },
  'skill-question-judge': { standard: 256, compact: 64 },
  'skill-answer-precise': { standard: 1024, compact: 128 },
  'skill-answer-creative': { standard: 1024, compact: 128 },
  'skill-pair-judge': { standard: 320, compact: 96 },
  'document-outline': { standard: 160, compact: 64 },
  'document-clean-up': { standard: 1024, compact: 160 },
  'document-summary': { standard: 640, compact: 128 },
  'document-extract': { standard: 512, compact: 128 },
  'document-facts': { standard: 768, compact: 160 },
  'knowledge-entities': { standard: 192, compact: 64 },
  'knowledge-entity-pair': { standard: 768, compact: 160 },
  'question-harder': { standard: 320, compact: 96 },
  'question-broader': { standard: 320, compact: 96 },
}

/** Settings of a stage for a prompt pack; what a pipeline's block sets itself goes first. */
export function stageSettings(stage: PromptStage, pack: Pack, own: Sampling = {}): StageSettings {
  const temperature = (pack === 'compact' ? compactTemperatures[stage] : undefined) ?? temperatures[stage]
  return { temperature, topP: 0.95, minP: minP[pack], maxTokens: maxTokens[stage][pack], ...own }
}
