// The taxonomy.* methods.

import { AppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { LeafDetail, LeafSummary } from '../contract/taxonomy.ts'
import { listDocuments } from '../store/documents.ts'
import { countWanted } from '../store/leaf-contents.ts'
import { findLeaf, listLeafPaths, listLeaves } from '../store/taxonomy.ts'
import { countSamplesByLeaf } from '../store/verdicts.ts'
import type { Handlers, Lab, OpenProject } from './lab.ts'
import { diffTaxonomy, leafChanges } from './taxonomy-diff.ts'
import { checkDraft, saveDraft, withBareSeeds } from './taxonomy-drafts.ts'
import { exportTaxonomy } from './taxonomy-export.ts'
import { moveInTree, removeKept, restoreLeaf, revisionsOf, revisionText } from './taxonomy-history.ts'
import { importTaxonomy } from './taxonomy-import.ts'
import { repairSubject } from './taxonomy-repair.ts'
import { validateTaxonomy } from './taxonomy-validate.ts'

type TaxonomyMethods =
  | 'taxonomy.list'
  | 'taxonomy.paths'
  | 'taxonomy.leaf'
  | 'taxonomy.save'
  | 'taxonomy.remove'
  | 'taxonomy.check'
  | 'taxonomy.import'
  | 'taxonomy.export'
  | 'taxonomy.validate'
  | 'taxonomy.repair'
  | 'taxonomy.move'
  | 'taxonomy.restore'
  | 'taxonomy.revisions'
  | 'taxonomy.revision'
  | 'taxonomy.diff'

export function taxonomyMethods(lab: Lab): Handlers<TaxonomyMethods> {
  const changed = (leaf: LeafPath) => {
    lab.emit({ kind: 'changed', what: 'taxonomy' })
    return detailOf(lab.project(), leaf)
  }
  return {
    'taxonomy.list': () => summariesOf(lab.project()),
    'taxonomy.paths': () => listLeafPaths(lab.project().db),
    'taxonomy.leaf': ({ leaf }) => detailOf(lab.project(), leaf),
    'taxonomy.save': (given) => {
      const draft = withBareSeeds(given)
      saveDraft(lab, draft)
      return changed(draft.path)
    },
    'taxonomy.remove': ({ leaf }) => {
      if (!removeKept(lab, leaf)) throw noLeaf(leaf)
      lab.emit({ kind: 'changed', what: 'taxonomy' })
      return null
    },
    'taxonomy.check': (draft) => checkDraft(withBareSeeds(draft), findLeaf(lab.project().db, draft.path)),
    'taxonomy.import': (input) => importTaxonomy(lab, input),
    'taxonomy.export': (input) => exportTaxonomy(lab, input),
    'taxonomy.validate': (input) => validateTaxonomy(input),
    'taxonomy.repair': (input) => repairSubject(lab, input),
    'taxonomy.move': (input) => moveInTree(lab, input),
    'taxonomy.restore': ({ leaf, revision }) => {
      restoreLeaf(lab, leaf, revision)
      return changed(leaf)
    },
    'taxonomy.revisions': ({ leaf }) => revisionsOf(lab, leaf),
    'taxonomy.revision': ({ leaf, revision }) => revisionText(lab, leaf, revision),
    'taxonomy.diff': (input) => diffTaxonomy(lab, input),
  }
}

function summariesOf({ db }: OpenProject): LeafSummary[] {
  const changeOf = leafChanges(db)
  const wanted = countWanted(db)
  const counts = countSamplesByLeaf(db)
  return listLeaves(db).map((leaf) => ({
    ...leaf,
    ...counts.get(leaf.path),
    change: changeOf(leaf.path),
    wantedCount: wanted.get(leaf.path) ?? 0,
  }))
}

function detailOf({ db }: OpenProject, path: LeafPath): LeafDetail {
  const leaf = findLeaf(db, path)
  if (!leaf) throw noLeaf(path)
  const { isSourceCurrent: _current, publicFileSha256: _file, ...shown } = leaf
  const documents = listDocuments(db, path).map(({ id, name }) => ({ id, name }))
  return { ...shown, ...countSamplesByLeaf(db, path).get(path), documents }
}

function noLeaf(path: LeafPath): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no leaf "${path}".`,
    remedy: 'Choose a leaf of the taxonomy, or import it.',
  })
}
