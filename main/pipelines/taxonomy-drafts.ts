// A leaf as it is being edited: what is wrong with it, and saving it. A leaf that has errors is not saved: what is in the project can
// always be generated from and exported.

import type { LeafDraft } from '../contract/authoring.ts'
import { AppError } from '../contract/errors.ts'
import type { QnaProblem, SeedDraft } from '../contract/taxonomy.ts'
import { formatBreach } from '../domain/answer-format.ts'
import { branchOf, checkLeafPath } from '../domain/leaf-path.ts'
import { checkContent, readQna, writeQna } from '../domain/qna.ts'
import { saveRevised } from '../store/leaf-revisions.ts'
import { findLeaf, type StoredLeaf } from '../store/taxonomy.ts'
import type { Lab } from './lab.ts'
import { checkAttribution } from './leaf-import.ts'

/** Every problem of a draft: of its path, and of its file: the imported one while it still is that, else the one it would become. */
export function checkDraft(draft: LeafDraft, known: StoredLeaf | undefined): QnaProblem[] {
  const problems = checkLeafPath(draft.path)
  if (branchOf(draft.path) !== draft.branch && problems.every(({ severity }) => severity !== 'error')) {
    const message = `The path lies under ${branchOf(draft.path)}, the leaf says ${draft.branch}.`
    const remedy = 'Choose the branch again, or change the beginning of the path.'
    problems.push({ severity: 'error', line: 1, column: 1, field: 'path', message, remedy })
  }
  const attribution = draft.attribution ?? known?.attribution
  return [
    ...problems,
    ...checkFile(draft, known),
    ...checkFormat(draft),
    ...(attribution ? checkAttribution(attribution) : []),
  ]
}

function checkFile(draft: LeafDraft, known: StoredLeaf | undefined): QnaProblem[] {
  if (known?.sourceText != null && isUntouched(draft, known)) return readQna(known.sourceText, draft.branch).problems
  return checkContent({ ...draft, documentSource: known?.documentSource ?? null })
}

/** Seeds whose answers are not what the leaf asks for. */
function checkFormat({ seeds, answerFormat }: LeafDraft): QnaProblem[] {
  return seeds.flatMap(({ answer, turns = [] }, at) => {
    const breach = [answer, ...turns.map((turn) => turn.answer)]
      .map((text) => formatBreach(answerFormat, text))
      .find(Boolean)
    if (!breach) return []
    const message = `The answer of seed ${at + 1} ${breach}.`
    const remedy = 'Change the answer, or choose another answer format.'
    return [{ severity: 'warning', line: 0, column: 0, field: 'answer_format', message, remedy }]
  })
}

/** Saves a draft. Throws `bad-qna` when it has errors. */
export function saveDraft(lab: Lab, draft: LeafDraft): void {
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
  saveRevised(
    db,
    {
      ...draft,
      documentSource: known?.documentSource ?? null,
      attribution: draft.attribution ?? known?.attribution ?? '',
      sourceText: isSame ? known.sourceText : null,
      isSourceCurrent: isSame && known.isSourceCurrent,
      publicFileSha256: known?.publicFileSha256 ?? null,
      // Lines of an imported file stay those of that file; otherwise they are those of the file it would be written as.
      problems: isSame ? known.problems : problems,
    },
    { act: 'saved', nowMs: lab.now() },
  )
}

/** Whether a draft says what the file says that its leaf was imported from. */
export function isUntouched(draft: LeafDraft, known: StoredLeaf): boolean {
  return known.sourceText !== null && sameFile(draft, known)
}

/** Whether both would be written as the same file (persona, language and other extensions are not part of it). */
function sameFile(draft: LeafDraft, known: StoredLeaf): boolean {
  const write = (leaf: LeafDraft | StoredLeaf) => writeQna({ ...leaf, documentSource: known.documentSource })
  return write(draft) === write(known)
}

/** An empty context is none, and so is an empty conversation. */
export function withBareSeeds(draft: LeafDraft): LeafDraft {
  const bare = ({ context, question, answer, turns }: SeedDraft): SeedDraft => ({
    ...(context?.trim() && { context }),
    question,
    answer,
    ...(turns && turns.length > 0 && { turns }),
  })
  return { ...draft, seeds: draft.seeds.map(bare) }
}
