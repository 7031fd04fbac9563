// The record of a phase's steps: written to the store and told to clients in small batches, so that neither waits on every step.
// Invariant: after flush() every step that was added is stored.

import type { StepReply } from '../compute/trainer-protocol.ts'
import type { TuningId } from '../contract/ids.ts'
import type { PhasePlan, TuningStep } from '../contract/tuning.ts'
import { newGroup, replayGroup } from '../domain/mixing.ts'
import { saveSteps } from '../store/tuning.ts'
import type { Lab } from './lab.ts'

const flushGapMs = 200
const flushCount = 50

export interface StepLog {
  /** Answers with the step as it will be stored. */
  add(reply: StepReply, learningRate: number): TuningStep
  flush(): void
}

/** Opens the log of one phase. */
export function createStepLog(
  lab: Lab,
  place: { tuningId: TuningId; phaseIndex: number; phase: PhasePlan['name'] },
): StepLog {
  const { db } = lab.project()
  let waiting: TuningStep[] = []
  let flushedAtMs = lab.now()
  const flush = () => {
    if (waiting.length === 0) return
    const steps = waiting
    waiting = []
    flushedAtMs = lab.now()
    saveSteps(db, { tuningId: place.tuningId, phaseIndex: place.phaseIndex }, steps)
    lab.emit({ kind: 'tuning.step', tuningId: place.tuningId, steps })
  }
  return {
    add(reply, learningRate) {
      const step = toStep(reply, place.phase, learningRate)
      waiting.push(step)
      if (waiting.length >= flushCount || lab.now() - flushedAtMs >= flushGapMs) flush()
      return step
    },
    flush,
  }
}

function toStep(reply: StepReply, phase: PhasePlan['name'], learningRate: number): TuningStep {
  const meanOf = (group: number) => {
    const found = reply.groups.find((one) => one.group === group)
    return found && found.weightSum > 0 ? found.lossSum / found.weightSum : null
  }
  return {
    phase,
    step: reply.step,
    loss: reply.loss,
    lossNew: meanOf(newGroup),
    lossReplay: meanOf(replayGroup),
    learningRate,
    gradNorm: reply.gradNorm,
    tokens: reply.tokens,
    ms: reply.ms,
  }
}
