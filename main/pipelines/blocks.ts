// Runs a slot through its chain: the blocks in their order, each free to drop the candidate with its reason. One place that says which
// block does what; writing, judging and ruling stand in files of their own.

import type { PipelineBlock } from '../contract/pipelines.ts'
import { judgeClarity, judgeFaithfulness, judgeFitness, judgePair, judgeRelevance } from './blocks-judge.ts'
import { checkFormat, checkLanguage, checkMeaning, checkNew, checkUnseen, compareWithStudent } from './blocks-rule.ts'
import {
  evolveQuestion,
  mineQuestion,
  takeMaterial,
  writeAnswer,
  writeChoices,
  writeContext,
  writeEntityPair,
  writePair,
  writeQuestion,
} from './blocks-write.ts'
import { Slot, type SlotDraft, type SlotMaterial, type Voices } from './generate-slot.ts'
import type { SlotTalk } from './generate-speaker.ts'

/** The slot's chain from end to end. Throws SlotCancelled, or what a session threw. */
export async function runSlot(voices: Voices, talk: SlotTalk, material: SlotMaterial): Promise<SlotDraft> {
  const slot = new Slot(voices, talk, material)
  for (const block of material.blocks) {
    await runBlock(slot, block)
    if (slot.draft.drop) break
  }
  return slot.draft
}

async function runBlock(slot: Slot, block: PipelineBlock): Promise<void> {
  switch (block.use) {
    case 'material':
      return takeMaterial(slot, block)
    case 'pair':
      return writePair(slot, block)
    case 'entity-pair':
      return writeEntityPair(slot, block)
    case 'context':
      return writeContext(slot, block)
    case 'question':
      return writeQuestion(slot, block)
    case 'evolve':
      return evolveQuestion(slot, block)
    case 'answer':
      return writeAnswer(slot, block)
    case 'choices':
      return writeChoices(slot, block)
    case 'mine':
      return mineQuestion(slot, block)
    case 'question-fit':
      return judgeFitness(slot, block)
    case 'pair-grade':
      return judgePair(slot, block)
    case 'faithful':
      return judgeFaithfulness(slot, block)
    case 'relevant':
      return judgeRelevance(slot, block)
    case 'self-contained':
      return judgeClarity(slot, block)
    case 'new':
      return checkNew(slot)
    case 'semantic':
      return checkMeaning(slot, block)
    case 'unseen':
      return checkUnseen(slot)
    case 'language':
      return checkLanguage(slot)
    case 'format':
      return checkFormat(slot)
    case 'known':
      return compareWithStudent(slot, block)
  }
}
