// sample.list, get, judge, undo and redo: what a person decides about samples. Every decision is appended under the author `human`.

import { AppError } from '../contract/errors.ts'
import type { CandidateId } from '../contract/ids.ts'
import { findCandidate } from '../store/generation.ts'
import { findSample, insertVerdict, pageSamples, redoVerdict, undoVerdict } from '../store/verdicts.ts'
import type { Handlers, Lab } from './lab.ts'

type SampleMethods = 'sample.list' | 'sample.get' | 'sample.judge' | 'sample.undo' | 'sample.redo'

export function sampleMethods(lab: Lab): Handlers<SampleMethods> {
  const changed = <Result>(result: Result): Result => {
    if (result !== null) lab.emit({ kind: 'changed', what: 'samples' })
    return result
  }
  return {
    'sample.list': ({ filter, offset, limit }) => pageSamples(lab.project().db, filter, { offset, limit }),
    'sample.get': ({ candidateId }) => {
      const { db } = lab.project()
      const candidate = findCandidate(db, candidateId)
      const sample = findSample(db, candidateId)
      if (!candidate || !sample) throw noSample(candidateId)
      return { ...candidate, ...sample }
    },
    'sample.judge': ({ candidateId, kind, question, answer, reason }) => {
      if (kind === 'edit' && !question?.trim() && !answer?.trim()) throw emptyEdit()
      const words = kind === 'edit' ? { question: filled(question), answer: filled(answer) } : {}
      const verdict = { candidateId, kind, author: 'human' as const, reason, ...words }
      const sample = insertVerdict(lab.project().db, verdict, lab.now())
      if (!sample) throw noSample(candidateId)
      return changed(sample)
    },
    'sample.undo': () => changed(undoVerdict(lab.project().db, lab.now())),
    'sample.redo': () => changed(redoVerdict(lab.project().db, lab.now())),
  }
}

/** An edit that leaves a text blank leaves it as it is. */
function filled(text: string | undefined): string | undefined {
  return text?.trim() ? text.trim() : undefined
}

function noSample(id: CandidateId): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no sample ${id} in this project.`,
    remedy: 'Refresh the list and pick one of its samples.',
  })
}
function emptyEdit(): AppError {
  return new AppError({
    code: 'bad-input',
    message: 'The edit changes neither the question nor the answer.',
    remedy: 'Write a question or an answer, or reject the sample instead.',
  })
}
