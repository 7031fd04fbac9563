// Moving the thresholds of a finished or running generation: what stored scores would lead to, and making it so. Nothing is generated
// again and nothing deleted; what changes is appended as verdicts of the rule, and moving back takes them back the same way. What a
// person decided stays.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { GenerationRun, GenerationThresholds, ThresholdEffect } from '../contract/generation.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { ChainKind } from '../contract/pipelines.ts'
import { createDuplicateScreen, type DuplicateScreen } from '../domain/duplicate-screen.ts'
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
export async function thresholdEffects(lab: Lab, run: Run, wanted: GenerationThresholds): Promise<ThresholdEffect[]> {
  return effectsOf(await reconsider(lab, run, wanted))
}

function effectsOf(reconsidered: readonly Reconsidered[]): ThresholdEffect[] {
  const effects = new Map<LeafPath, ThresholdEffect>()
  for (const { facts, fate } of reconsidered) {
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
export async function applyThresholds(lab: Lab, run: Run, wanted: GenerationThresholds): Promise<ThresholdEffect[]> {
  const reconsidered = await reconsider(lab, run, wanted)
  const reason = `Thresholds moved: pairs from grade ${wanted.minPairGrade}, near duplicates from ${wanted.nearDuplicateRougeL}.`
  const verdicts = reconsidered.flatMap(({ facts, fate }) => {
    const isIn = facts.status === 'accepted' || facts.status === 'edited'
    if (facts.isReviewed || fate === 'unjudged' || (fate === 'passes') === isIn) return []
    return [{ candidateNumber: facts.number, kind: isIn ? ('reject' as const) : ('accept' as const), reason }]
  })
  insertRuleVerdicts(lab.project().db, verdicts, lab.now())
  if (verdicts.length > 0) lab.emit({ kind: 'changed', what: 'samples' })
  return effectsOf(reconsidered)
}

/** Longest hold of the engine while twins are looked for: seconds in all for tens of thousands of candidates. */
const holdMs = 15

async function reconsider(lab: Lab, run: Run, wanted: GenerationThresholds): Promise<Reconsidered[]> {
  const screen = createDuplicateScreen(wanted.nearDuplicateRougeL)
  const screens = screensOf(run)
  const reconsidered: Reconsidered[] = []
  let heldSince = performance.now()
  for (const facts of listThresholdFacts(lab.project().db, run.id)) {
    reconsidered.push({ facts, fate: fateOf(facts, { wanted, screen, ...screens(facts) }) })
    if (performance.now() - heldSince < holdMs) continue
    await nextTurn()
    heldSince = performance.now()
  }
  return reconsidered
}

interface Rules extends Screening {
  wanted: GenerationThresholds
  screen: DuplicateScreen
}

function fateOf(facts: ThresholdFacts, { wanted, screen, graded, twins }: Rules): Fate {
  if (facts.droppedBy === 'near-duplicate') {
    const stays = facts.likeness === null || facts.likeness >= wanted.nearDuplicateRougeL
    return stays ? 'drops' : twins === 'last' ? 'passes' : 'unjudged'
  }
  if (facts.droppedBy === 'skill-pair-judge') return (facts.score ?? 0) >= wanted.minPairGrade ? 'passes' : 'drops'
  if (facts.droppedBy !== null) return 'drops'
  const text = { source: facts.chunkId ?? '', ...facts }
  const isTwin = twins !== 'none' && screen.findNear(text) !== null
  const isLow = graded && (facts.score ?? wanted.minPairGrade) < wanted.minPairGrade
  if (isTwin || isLow) return 'drops'
  screen.keep(facts.id, text)
  return 'passes'
}

interface Screening {
  graded: boolean
  twins: 'none' | 'last' | 'before'
}

/** Whether a candidate's score is a grade, and whether judges came behind the rule of twins. Runs without a pipeline went by `lab`. */
function screensOf({ plan }: Run): (facts: ThresholdFacts) => Screening {
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
