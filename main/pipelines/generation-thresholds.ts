// Moving the thresholds of a finished or running generation: what stored scores would lead to, and making it so. Nothing is generated
// again and nothing deleted; what changes is appended as verdicts of the rule, and moving back takes them back the same way. What a
// person decided stays.

import type { GenerationRun, GenerationThresholds, ThresholdEffect } from '../contract/generation.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { ChainKind } from '../contract/pipelines.ts'
import { createDuplicateScreen } from '../domain/duplicate-screen.ts'
import { insertRuleVerdicts, listThresholdFacts, type ThresholdFacts } from '../store/judgements.ts'
import type { Lab } from './lab.ts'

/** Where a candidate would stand. `unjudged`: it would pass the rule that dropped it, and judges behind that rule never saw it. */
type Fate = 'passes' | 'drops' | 'unjudged'

type Run = Pick<GenerationRun, 'id' | 'plan'>

interface Reconsidered {
  facts: ThresholdFacts
  fate: Fate
}

/** What these thresholds would change, by leaf. */
export function thresholdEffects(lab: Lab, run: Run, wanted: GenerationThresholds): ThresholdEffect[] {
  const effects = new Map<LeafPath, ThresholdEffect>()
  for (const { facts, fate } of reconsider(lab, run, wanted)) {
    const effect = effects.get(facts.leaf) ?? { leaf: facts.leaf, accepted: 0, comes: 0, goes: 0, unjudged: 0 }
    effects.set(facts.leaf, effect)
    const isIn = facts.status === 'accepted' || facts.status === 'edited'
    if (isIn) effect.accepted += 1
    if (facts.isReviewed) continue
    if (fate === 'unjudged') effect.unjudged += 1
    else if (fate === 'passes' && !isIn) effect.comes += 1
    else if (fate === 'drops' && isIn) effect.goes += 1
  }
  return [...effects.values()]
}

/** Makes it so, and says what changed. */
export function applyThresholds(lab: Lab, run: Run, wanted: GenerationThresholds): ThresholdEffect[] {
  const effects = thresholdEffects(lab, run, wanted)
  const reason = `Thresholds moved: pairs from grade ${wanted.minPairGrade}, near duplicates from ${wanted.nearDuplicateRougeL}.`
  const verdicts = reconsider(lab, run, wanted).flatMap(({ facts, fate }) => {
    const isIn = facts.status === 'accepted' || facts.status === 'edited'
    if (facts.isReviewed || fate === 'unjudged' || (fate === 'passes') === isIn) return []
    return [{ candidateNumber: facts.number, kind: isIn ? ('reject' as const) : ('accept' as const), reason }]
  })
  insertRuleVerdicts(lab.project().db, verdicts, lab.now())
  if (verdicts.length > 0) lab.emit({ kind: 'changed', what: 'samples' })
  return effects
}

function reconsider(lab: Lab, run: Run, wanted: GenerationThresholds): Reconsidered[] {
  const screen = createDuplicateScreen(wanted.nearDuplicateRougeL)
  const screens = screensOf(run)
  return listThresholdFacts(lab.project().db, run.id).map((facts) => {
    const { graded, twins } = screens(facts)
    if (facts.droppedBy === 'near-duplicate') {
      const stays = facts.likeness === null || facts.likeness >= wanted.nearDuplicateRougeL
      return { facts, fate: stays ? 'drops' : twins === 'last' ? 'passes' : 'unjudged' }
    }
    if (facts.droppedBy === 'skill-pair-judge')
      return { facts, fate: (facts.score ?? 0) >= wanted.minPairGrade ? 'passes' : 'drops' }
    if (facts.droppedBy !== null) return { facts, fate: 'drops' }
    const text = { source: facts.chunkId ?? '', ...facts }
    const isTwin = twins !== 'none' && screen.findNear(text) !== null
    const isLow = graded && (facts.score ?? wanted.minPairGrade) < wanted.minPairGrade
    if (!isTwin && !isLow) screen.keep(facts.id, text)
    return { facts, fate: isTwin || isLow ? 'drops' : 'passes' }
  })
}

/** Whether a candidate's score is a grade, and whether judges came behind the rule of twins. Runs without a pipeline went by `lab`. */
function screensOf({ plan }: Run): (facts: ThresholdFacts) => { graded: boolean; twins: 'none' | 'last' | 'before' } {
  const of = (chain: ChainKind) => {
    const names = plan.pipeline?.chains[chain]?.map(({ use }) => use)
    if (!names) return { graded: chain !== 'knowledge', twins: 'before' as const }
    const judges = names.filter((name) => judgeBlocks.has(name))
    const at = names.indexOf('new')
    const behind = names.slice(at + 1).some((name) => judgeBlocks.has(name))
    return {
      graded: judges.at(-1) === 'pair-grade',
      twins: at < 0 ? ('none' as const) : behind ? ('before' as const) : ('last' as const),
    }
  }
  const knowledge = of('knowledge')
  const skill = of(plan.pipeline?.chains.freeform ? 'freeform' : 'grounded')
  return ({ leaf }) => (leaf.startsWith('knowledge/') ? knowledge : skill)
}

const judgeBlocks: ReadonlySet<string> = new Set([
  'question-fit',
  'pair-grade',
  'faithful',
  'relevant',
  'self-contained',
  'choices',
])
