// Leaves, seeds and imported public rows. A seed is never changed: saving a leaf keeps the ids of seeds whose words are the same,
// adds the new ones and marks the rest as removed, so a candidate's seed ids always lead to the words it was made from.

import { createHash } from 'node:crypto'
import type { LeafPath, SeedId } from '../contract/ids.ts'
import type {
  AnswerFormat,
  Branch,
  DocumentSource,
  Exchange,
  Leaf,
  Persona,
  QnaProblem,
  Seed,
  SeedDraft,
} from '../contract/taxonomy.ts'
import { hashLeaf } from '../domain/leaf-content.ts'
import type { QnaContent } from '../domain/qna-form.ts'
import type { PublicRow } from '../domain/public-rows.ts'
import type { Database } from './open.ts'
import { prepared } from './statements.ts'

/** A leaf as its author made it. */
export interface LeafContent extends Omit<QnaContent, 'version'> {
  path: LeafPath
  persona: Persona
  language: string
  answerFormat?: AnswerFormat | undefined
  attribution: string
  /** The imported file, byte for byte; null once edited. */
  sourceText: string | null
  /** False where the file was of an older version, so that export writes the new form. */
  isSourceCurrent: boolean
  /** Content hash of the imported dataset file; null without one. */
  publicFileSha256: string | null
  problems: readonly QnaProblem[]
}

export interface StoredLeaf
  extends Leaf,
    Pick<LeafContent, 'documentSource' | 'attribution' | 'sourceText' | 'isSourceCurrent' | 'publicFileSha256'> {
  seeds: Seed[]
}

interface LeafRow {
  path: LeafPath
  branch: Branch
  task_description: string
  domain: string
  document_outline: string
  created_by: string
  is_grounded: number
  persona: Persona
  language: string
  answer_format: AnswerFormat
  document_source_json: string | null
  attribution: string
  source_text: string | null
  is_source_current: number
  public_file_sha256: string | null
  problems_json: string
  seed_count: number
  document_count: number
  public_row_count: number
}
interface SeedRow {
  id: SeedId
  context: string | null
  question: string
  answer: string
  turns_json: string | null
}

const selectSeeds = 'select id, context, question, answer, turns_json from seeds'
const selectLeaves = `
  select leaves.*,
    (select count(*) from seeds where seeds.leaf = leaves.path and seeds.removed_at_ms is null) as seed_count,
    (select count(*) from documents where documents.leaf = leaves.path and documents.removed_at_ms is null) as document_count,
    (select count(*) from public_rows where public_rows.leaf = leaves.path) as public_row_count
  from leaves where removed_at_ms is null`

/** Writes a leaf, new or known (a removed one comes back). One transaction. */
export function saveLeaf(db: Database, leaf: LeafContent, nowMs: number): void {
  db.transaction(() => {
    prepared(
      db,
      `insert into leaves (path, branch, task_description, domain, document_outline, created_by, is_grounded, persona, language,
         answer_format, content_sha256, document_source_json, attribution, source_text, is_source_current, public_file_sha256,
         problems_json, created_at_ms, updated_at_ms)
       values (@path, @branch, @taskDescription, @domain, @documentOutline, @createdBy, @isGrounded, @persona, @language,
         @answerFormat, @contentSha256, @documentSource, @attribution, @sourceText, @isSourceCurrent, @publicFileSha256,
         @problems, @nowMs, @nowMs)
       on conflict (path) do update set branch = excluded.branch, task_description = excluded.task_description,
         domain = excluded.domain, document_outline = excluded.document_outline, created_by = excluded.created_by,
         is_grounded = excluded.is_grounded, persona = excluded.persona, language = excluded.language,
         answer_format = excluded.answer_format, content_sha256 = excluded.content_sha256,
         document_source_json = excluded.document_source_json, attribution = excluded.attribution,
         source_text = excluded.source_text, is_source_current = excluded.is_source_current,
         public_file_sha256 = excluded.public_file_sha256, problems_json = excluded.problems_json, updated_at_ms = excluded.updated_at_ms, removed_at_ms = null`,
    ).run({
      path: leaf.path,
      branch: leaf.branch,
      taskDescription: leaf.taskDescription,
      domain: leaf.domain,
      documentOutline: leaf.documentOutline,
      createdBy: leaf.createdBy,
      isGrounded: Number(leaf.branch === 'knowledge' || leaf.seeds.some((seed) => Boolean(seed.context))),
      persona: leaf.persona,
      language: leaf.language,
      answerFormat: leaf.answerFormat ?? 'text',
      contentSha256: hashLeaf(leaf, () => createHash('sha256')),
      documentSource: leaf.documentSource === null ? null : JSON.stringify(leaf.documentSource),
      attribution: leaf.attribution,
      sourceText: leaf.sourceText,
      isSourceCurrent: Number(leaf.isSourceCurrent),
      publicFileSha256: leaf.publicFileSha256,
      problems: problemsJson(leaf.problems),
      nowMs,
    })
    saveSeeds(db, leaf, nowMs)
  })()
}

/** Replaces what is said to be wrong with a leaf, and nothing else of it. */
export function saveLeafProblems(db: Database, path: LeafPath, problems: readonly QnaProblem[]): void {
  prepared(db, 'update leaves set problems_json = ? where path = ?').run(problemsJson(problems), path)
}

/** Repairs are not kept: the text they belong to may change, and the rules find them again. */
function problemsJson(problems: readonly QnaProblem[]): string {
  return JSON.stringify(problems.map(({ repair: _repair, ...problem }) => problem))
}

function saveSeeds(db: Database, { path, seeds }: LeafContent, nowMs: number): void {
  const known = new Map<string, SeedId[]>()
  for (const row of prepared<[string], SeedRow>(db, `${selectSeeds} where leaf = ? order by position`).all(path)) {
    const words = wordsOf(toSeed(row))
    known.set(words, [...(known.get(words) ?? []), row.id])
  }
  prepared(db, 'update seeds set removed_at_ms = ? where leaf = ? and removed_at_ms is null').run(nowMs, path)
  const comeBack = prepared(db, 'update seeds set position = ?, removed_at_ms = null where id = ?')
  const insert = prepared(
    db,
    'insert into seeds (id, leaf, position, context, question, answer, turns_json) values (?, ?, ?, ?, ?, ?, ?)',
  )
  const isTaken = prepared<[string]>(db, 'select 1 from seeds where id = ?')
  seeds.forEach((seed, position) => {
    const words = wordsOf(seed)
    const id = known.get(words)?.shift()
    if (id) comeBack.run(position, id)
    else {
      const turns = seed.turns && seed.turns.length > 0 ? JSON.stringify(seed.turns) : null
      insert.run(
        freeSeedId({ path, words }, (free) => isTaken.get(free) === undefined),
        path,
        position,
        seed.context || null,
        seed.question,
        seed.answer,
        turns,
      )
    }
  })
}

/** Seeds of the same words are the same seed. */
function wordsOf({ context, question, answer, turns }: SeedDraft): string {
  const words: unknown[] = [context || null, question, answer]
  if (turns && turns.length > 0) words.push(turns.map((turn) => [turn.question, turn.answer]))
  return JSON.stringify(words)
}

/** A function of path and words, and of how many seeds have that id already: copies, and seeds that moved away with their leaf. */
function freeSeedId({ path, words }: { path: LeafPath; words: string }, isFree: (id: string) => boolean): SeedId {
  const named = JSON.stringify([path, ...(JSON.parse(words) as unknown[])])
  for (let copy = 0; ; copy++) {
    const id = `seed-${createHash('sha256').update(`${named}#${copy}`).digest('hex').slice(0, 16)}`
    if (isFree(id)) return id as SeedId
  }
}

/** The path of every leaf, in order. */
export function listLeafPaths(db: Database): LeafPath[] {
  return db.prepare<[], LeafPath>('select path from leaves where removed_at_ms is null order by path').pluck().all()
}

/** Every leaf, by path; candidate counts are zero here, they belong to generation. */
export function listLeaves(db: Database): Leaf[] {
  return db.prepare<[], LeafRow>(`${selectLeaves} order by path`).all().map(toLeaf)
}

/** A leaf with its seeds, or undefined when there is none of that path. */
export function findLeaf(db: Database, path: LeafPath): StoredLeaf | undefined {
  const row = prepared<[string], LeafRow>(db, `${selectLeaves} and path = ?`).get(path)
  if (!row) return undefined
  return {
    ...toLeaf(row),
    documentSource: row.document_source_json === null ? null : (JSON.parse(row.document_source_json) as DocumentSource),
    attribution: row.attribution,
    sourceText: row.source_text,
    isSourceCurrent: row.is_source_current === 1,
    publicFileSha256: row.public_file_sha256,
    seeds: listSeeds(db, path),
  }
}

/** Seeds of a leaf, in its author's order. */
export function listSeeds(db: Database, path: LeafPath): Seed[] {
  return prepared<[string], SeedRow>(db, `${selectSeeds} where leaf = ? and removed_at_ms is null order by position`)
    .all(path)
    .map(toSeed)
}

/** Takes a leaf out of the taxonomy; its seeds and documents stay for what was made from them. False when there was none. */
export function removeLeaf(db: Database, path: LeafPath, nowMs: number): boolean {
  return (
    db.prepare('update leaves set removed_at_ms = ? where path = ? and removed_at_ms is null').run(nowMs, path)
      .changes > 0
  )
}

/** Brings a removed leaf back with all that was in it. False when there is none. */
export function bringBackLeaf(db: Database, path: LeafPath): boolean {
  return (
    db.prepare('update leaves set removed_at_ms = null where path = ? and removed_at_ms is not null').run(path)
      .changes > 0
  )
}

/** Rows of a public dataset written in one transaction. */
export const publicRowBatch = 200

/** Puts public rows in a leaf's list from row `from` on, in place of all that was there from that row on. */
export function savePublicRows(
  db: Database,
  { leaf, from }: { leaf: LeafPath; from: number },
  rows: readonly PublicRow[],
): void {
  const insert = db.prepare(
    'insert into public_rows (leaf, row, system, context, question, answer) values (?, ?, ?, ?, ?, ?)',
  )
  db.transaction(() => {
    db.prepare('delete from public_rows where leaf = ? and row >= ?').run(leaf, from)
    rows.forEach((row, at) => {
      insert.run(leaf, from + at, row.system, row.context, row.question, row.answer)
    })
  })()
}

/** Public rows of a leaf in order; `row` is the number used in `dataset:<leaf>#<row>`. */
export function listPublicRows(db: Database, leaf: LeafPath): (PublicRow & { row: number })[] {
  return db
    .prepare<[string], PublicRow & { row: number }>(
      'select row, system, context, question, answer from public_rows where leaf = ? order by row',
    )
    .all(leaf)
}

function toSeed({ id, context, question, answer, turns_json }: SeedRow): Seed {
  return {
    id,
    ...(context !== null && { context }),
    question,
    answer,
    ...(turns_json !== null && { turns: JSON.parse(turns_json) as Exchange[] }),
  }
}

function toLeaf(row: LeafRow): Leaf {
  return {
    path: row.path,
    branch: row.branch,
    taskDescription: row.task_description,
    domain: row.domain,
    documentOutline: row.document_outline,
    createdBy: row.created_by,
    isGrounded: row.is_grounded === 1,
    persona: row.persona,
    language: row.language,
    answerFormat: row.answer_format,
    seedCount: row.seed_count,
    documentCount: row.document_count,
    datasetRowCount: row.public_row_count,
    acceptedCount: 0,
    candidateCount: 0,
    problems: JSON.parse(row.problems_json) as QnaProblem[],
  }
}
