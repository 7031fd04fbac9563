// Repairs of one text, shown before they are made: a qna.yaml on disk, or a leaf in its editor. A leaf that still is the file it was
// imported from is saved with the mended file; one that was edited since is only handed back, for its editor to save.

import { basename, dirname, resolve, sep } from 'node:path'
import { lstat } from 'node:fs/promises'
import type { LeafDraft, RepairOutcome, RepairSubject } from '../contract/authoring.ts'
import { AppError } from '../contract/errors.ts'
import { branchOf, leafPathOf } from '../domain/leaf-path.ts'
import { readQna, writeQna } from '../domain/qna.ts'
import type { QnaContent } from '../domain/qna-form.ts'
import { type Mended, type RepairPlace, repairQna } from '../domain/qna-repair.ts'
import { newestVersion } from '../domain/qna-form.ts'
import { addTurns, hasTurns } from '../domain/sidecar.ts'
import { listDocuments } from '../store/documents.ts'
import { saveRevised } from '../store/leaf-revisions.ts'
import { findLeaf, type StoredLeaf } from '../store/taxonomy.ts'
import { readDocument } from './documents.ts'
import { writeFileDurably } from './durable-file.ts'
import { resolveFolder } from './folder-walk.ts'
import type { Lab } from './lab.ts'
import { DocumentsFolder } from './leaf-documents.ts'
import { isUntouched } from './taxonomy-drafts.ts'
import { readQnaText } from './taxonomy-folder.ts'

export interface RepairWish {
  subject: RepairSubject
  places?: readonly RepairPlace[] | undefined
  apply: boolean
}

/** What the repairs make of the subject; with `apply` they are made. Throws `not-found`, `bad-input`, `bad-qna`. */
export function repairSubject(lab: Lab, { subject, ...wish }: RepairWish): Promise<RepairOutcome> {
  return subject.kind === 'file' ? repairFile(subject, wish) : repairLeaf(lab, subject.draft, wish)
}

type Wish = Omit<RepairWish, 'subject'>

async function repairFile(
  { path, documentsFolder }: Extract<RepairSubject, { kind: 'file' }>,
  { places, apply }: Wish,
): Promise<RepairOutcome> {
  const file = resolve(path)
  const leaf = leafPathOf(dirname(file).split(sep), [])
  const branch = leaf && branchOf(leaf)
  const found = await lstat(file)
  if (basename(file) !== 'qna.yaml' || !branch || !found.isFile()) {
    throw new AppError({
      code: 'bad-input',
      message: `"${path}" is no qna.yaml of a taxonomy.`,
      remedy: 'Choose a file called qna.yaml below knowledge, foundational_skills or compositional_skills.',
    })
  }
  const before = await readQnaText({ path: file, segments: [basename(file)], sizeBytes: found.size })
  const source = documentsFolder === undefined ? null : readQna(before, branch).content?.documentSource
  const documents =
    documentsFolder !== undefined && source ? new DocumentsFolder(await resolveFolder(documentsFolder)) : null
  const texts = documents && source ? (await documents.find(leaf, source)).documents.map(({ text }) => text) : []
  const mended = repairQna(before, branch, { places, documents: texts })
  if (apply && mended.text !== before) await writeFileDurably(file, mended.text)
  return outcomeOf(before, mended, null)
}

async function repairLeaf(lab: Lab, draft: LeafDraft, { places, apply }: Wish): Promise<RepairOutcome> {
  const project = lab.project()
  const known = findLeaf(project.db, draft.path)
  const own = known && isUntouched(draft, known) ? known : null
  const before = own?.sourceText ?? writeQna({ ...draft, documentSource: known?.documentSource ?? null })
  const texts: string[] = []
  for (const { id } of draft.branch === 'knowledge' ? listDocuments(project.db, draft.path) : [])
    texts.push(await readDocument(project, id))
  const mended = repairQna(before, draft.branch, { places, documents: texts })
  if (apply && own && mended.file.content && mended.text !== before) {
    saveMended(lab, own, { draft, text: mended.text, file: mended.file.content, problems: mended.file.problems })
  }
  return outcomeOf(before, mended, mended.file.content && draftOf(draft, mended.file.content))
}

function outcomeOf(before: string, { text, made, file }: Mended, draft: LeafDraft | null): RepairOutcome {
  return { before, after: text, made: [...new Set(made)], problems: file.problems, draft }
}

function draftOf(draft: LeafDraft, content: QnaContent): LeafDraft {
  const { taskDescription, domain, documentOutline, createdBy } = content
  const seeds = addTurns(content.seeds, { conversations: draft.seeds.filter(hasTurns) })
  return { ...draft, taskDescription, domain, documentOutline, createdBy, seeds }
}

interface MendedLeaf {
  draft: LeafDraft
  text: string
  file: QnaContent
  problems: Mended['file']['problems']
}

function saveMended(lab: Lab, known: StoredLeaf, { draft, text, file, problems }: MendedLeaf): void {
  const besides = known.problems.filter(({ field }) =>
    /^(?:attribution\.txt|labdesk\.yaml|dataset\.jsonl|path)/.test(field),
  )
  saveRevised(
    lab.project().db,
    {
      ...known,
      ...draftOf(draft, file),
      documentSource: file.documentSource,
      attribution: draft.attribution ?? known.attribution,
      sourceText: text,
      isSourceCurrent: file.version === newestVersion || known.isSourceCurrent,
      problems: [...problems, ...besides],
    },
    { act: 'repaired', nowMs: lab.now() },
  )
  lab.emit({ kind: 'changed', what: 'taxonomy' })
}
