// The taxonomy.* methods. A leaf that has errors is not saved: what is in the project can always be generated from and exported.

import type { LeafDraft } from '../contract/api.ts'
import { AppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { Leaf, LeafDetail, QnaProblem, SeedDraft } from '../contract/taxonomy.ts'
import { branchOf, checkLeafPath } from '../domain/leaf-path.ts'
import { checkContent, writeQna } from '../domain/qna.ts'
import { listDocuments } from '../store/documents.ts'
import { findLeaf, listLeaves, removeLeaf, saveLeaf, type StoredLeaf } from '../store/taxonomy.ts'
import { countSamplesByLeaf } from '../store/verdicts.ts'
import type { Handlers, Lab, OpenProject } from './lab.ts'
import { exportTaxonomy } from './taxonomy-export.ts'
import { importTaxonomy } from './taxonomy-import.ts'

type TaxonomyMethods =
  | 'taxonomy.list'
  | 'taxonomy.leaf'
  | 'taxonomy.save'
  | 'taxonomy.remove'
  | 'taxonomy.check'
  | 'taxonomy.import'
  | 'taxonomy.export'

export function taxonomyMethods(lab: Lab): Handlers<TaxonomyMethods> {
  return {
    'taxonomy.list': () => withCounts(lab.project(), listLeaves(lab.project().db)),
    'taxonomy.leaf': ({ leaf }) => detailOf(lab.project(), leaf),
    'taxonomy.save': (given) => {
      const draft = withBareSeeds(given)
      saveDraft(lab, draft)
      lab.emit({ kind: 'changed', what: 'taxonomy' })
      return detailOf(lab.project(), draft.path)
    },
    'taxonomy.remove': ({ leaf }) => {
      if (!removeLeaf(lab.project().db, leaf, lab.now())) throw noLeaf(leaf)
      lab.emit({ kind: 'changed', what: 'taxonomy' })
      return null
    },
    'taxonomy.check': (draft) => checkDraft(withBareSeeds(draft), findLeaf(lab.project().db, draft.path)),
    'taxonomy.import': (input) => importTaxonomy(lab, input),
    'taxonomy.export': ({ folder }) => exportTaxonomy(lab, folder),
  }
}

function withCounts<Row extends Leaf>({ db }: OpenProject, leaves: readonly Row[]): Row[] {
  const counts = countSamplesByLeaf(db)
  return leaves.map((leaf) => ({ ...leaf, ...counts.get(leaf.path) }))
}

function detailOf(project: OpenProject, path: LeafPath): LeafDetail {
  const leaf = findLeaf(project.db, path)
  if (!leaf) throw noLeaf(path)
  const { documentSource: _source, isSourceCurrent: _current, publicFileSha256: _file, ...shown } = leaf
  const documents = listDocuments(project.db, path).map(({ id, name }) => ({ id, name }))
  return { ...withCounts(project, [shown])[0]!, documents }
}

function noLeaf(path: LeafPath): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no leaf "${path}".`,
    remedy: 'Choose a leaf of the taxonomy, or import it.',
  })
}

/** Every problem of a draft: of its path, and of the file it would become. */
function checkDraft(draft: LeafDraft, known: StoredLeaf | undefined): QnaProblem[] {
  const problems = checkLeafPath(draft.path)
  if (branchOf(draft.path) !== draft.branch && problems.every(({ severity }) => severity !== 'error')) {
    const message = `The path lies under ${branchOf(draft.path)}, the leaf says ${draft.branch}.`
    const remedy = 'Choose the branch again, or change the beginning of the path.'
    problems.push({ severity: 'error', line: 1, column: 1, field: 'path', message, remedy })
  }
  return [...problems, ...checkContent({ ...draft, documentSource: known?.documentSource ?? null })]
}

function saveDraft(lab: Lab, draft: LeafDraft): void {
  const { db } = lab.project()
  const known = findLeaf(db, draft.path)
  const problems = checkDraft(draft, known)
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors[0]) {
    throw new AppError({
      code: 'bad-qna',
      message: `The leaf cannot be saved: ${errors[0].message}`,
      remedy: errors[0].remedy,
      detail: errors.map(({ line, column, field, message }) => `${line}:${column} ${field}: ${message}`).join('\n'),
    })
  }
  const isSame = known !== undefined && sameFile(draft, known)
  saveLeaf(
    db,
    {
      ...draft,
      documentSource: known?.documentSource ?? null,
      attribution: known?.attribution ?? '',
      sourceText: isSame ? known.sourceText : null,
      isSourceCurrent: isSame && known.isSourceCurrent,
      publicFileSha256: known?.publicFileSha256 ?? null,
      // Lines of an imported file stay those of that file; otherwise they are those of the file it would be written as.
      problems: isSame ? known.problems : problems,
    },
    lab.now(),
  )
}

/** Whether both would be written as the same file (persona and language are not part of it). */
function sameFile(draft: LeafDraft, known: StoredLeaf): boolean {
  const write = (leaf: LeafDraft | StoredLeaf) => writeQna({ ...leaf, documentSource: known.documentSource })
  return write(draft) === write(known)
}

/** An empty context is none. */
function withBareSeeds(draft: LeafDraft): LeafDraft {
  const bare = ({ context, question, answer }: SeedDraft): SeedDraft =>
    context?.trim() ? { context, question, answer } : { question, answer }
  return { ...draft, seeds: draft.seeds.map(bare) }
}
