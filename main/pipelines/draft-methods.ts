// draft.* and seed.*: what the models say about documents and seeds before a person has looked.

import { AppError } from '../contract/errors.ts'
import { listDrafts, listSeedChecks, settleDraft } from '../store/drafts.ts'
import { draftOutline, draftPairs } from './drafts.ts'
import type { Handlers, Lab } from './lab.ts'
import { checkSeeds } from './seed-checks.ts'

type DraftMethods = 'draft.list' | 'draft.pairs' | 'draft.outline' | 'draft.settle' | 'seed.checks' | 'seed.check'

export function draftMethods(lab: Lab): Handlers<DraftMethods> {
  return {
    'draft.list': ({ documentId }) => listDrafts(lab.project().db, documentId),
    'draft.pairs': (input) => draftPairs(lab, input),
    'draft.outline': ({ documentId }) => draftOutline(lab, documentId),
    'draft.settle': ({ draft, state }) => {
      if (!settleDraft(lab.project().db, draft, state))
        throw new AppError({
          code: 'not-found',
          message: 'This draft waits no more.',
          remedy: 'Look at the list of drafts again.',
        })
      lab.emit({ kind: 'changed', what: 'documents' })
      return null
    },
    'seed.checks': ({ leaf }) => listSeedChecks(lab.project().db, leaf),
    'seed.check': ({ leaf }) => checkSeeds(lab, leaf),
  }
}
